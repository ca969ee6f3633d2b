-- The roles of a team's library. The owner of the database runs this once, after the library was created:
--
--     psql postgresql://OWNER@HOST/DATABASE -f roles.sql
--
-- and in the database of each shard, if it has some (`lookalike library shard`).
--
-- Then each person's own role gets one of the three:
--
--     GRANT lookalike_contributor TO ada;
--
-- reader       sees everything and changes nothing.
-- contributor  adds samples and models, gives labels, removes samples, undoes edits. Cannot delete a row, nor change a vector, a
--              fact or a line of the history that is stored.
-- curator      also chooses and renames models.
--
-- Running it again changes nothing.

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['lookalike_reader', 'lookalike_contributor', 'lookalike_curator'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        END IF;
    END LOOP;
END
$$;

GRANT lookalike_reader TO lookalike_contributor;
GRANT lookalike_contributor TO lookalike_curator;

GRANT USAGE ON SCHEMA lookalike TO lookalike_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA lookalike TO lookalike_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA lookalike GRANT SELECT ON TABLES TO lookalike_reader;

GRANT INSERT ON
    lookalike.samples, lookalike.thumbnails, lookalike.models, lookalike.looks, lookalike.candidates, lookalike.candidate_of,
    lookalike.places, lookalike.current_model, lookalike.facts, lookalike.edits, lookalike.label_changes, lookalike.removals, lookalike.received
    TO lookalike_contributor;
GRANT USAGE ON SEQUENCE lookalike.samples_id_seq TO lookalike_contributor;
-- What may change of a sample is its label, whether it is removed, and the name under which it was found. Its hash and what is known
-- of it stay.
GRANT UPDATE (label, removed, name) ON lookalike.samples TO lookalike_contributor;
GRANT UPDATE (undone) ON lookalike.edits, lookalike.label_changes, lookalike.removals TO lookalike_contributor;
-- A map is computed again.
GRANT DELETE ON lookalike.places TO lookalike_contributor;

GRANT UPDATE ON lookalike.current_model TO lookalike_curator;
GRANT UPDATE (name) ON lookalike.models TO lookalike_curator;
