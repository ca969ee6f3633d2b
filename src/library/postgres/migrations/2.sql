-- Version 2 of a team's library: what an index finds near samples by.

-- The vectors by which an index finds samples (`search::Candidates`), at half precision. They follow from what is in looks, so they can
-- be made again. Samples that look alike to a model share one: of a graph with many equal vectors a search sees only some.
CREATE TABLE lookalike.candidates (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model bigint NOT NULL REFERENCES lookalike.models ON DELETE CASCADE,
    -- `search::CANDIDATE`.
    version integer NOT NULL,
    -- The first 16 bytes of the SHA-256 of the vector as it is stored.
    digest bytea NOT NULL CHECK (octet_length(digest) = 16),
    vector halfvec NOT NULL,
    UNIQUE (model, version, digest)
);

-- Which of them is that of a sample.
CREATE TABLE lookalike.candidate_of (
    model bigint NOT NULL REFERENCES lookalike.models ON DELETE CASCADE,
    sample bigint NOT NULL REFERENCES lookalike.samples ON DELETE CASCADE,
    candidate bigint NOT NULL REFERENCES lookalike.candidates ON DELETE CASCADE,
    PRIMARY KEY (model, sample)
);
CREATE INDEX candidate_of_by_candidate ON lookalike.candidate_of (candidate, sample);

-- Who may see looks, and add them, may do the same here, so roles.sql need not be run again.
DO $$
DECLARE
    given record;
BEGIN
    FOR given IN
        SELECT DISTINCT acl.grantee, acl.privilege_type FROM pg_class c, aclexplode(c.relacl) AS acl
        WHERE c.oid = 'lookalike.looks'::regclass AND acl.privilege_type IN ('SELECT', 'INSERT')
            AND acl.grantee <> c.relowner
    LOOP
        EXECUTE format(
            'GRANT %s ON lookalike.candidates, lookalike.candidate_of TO %s', given.privilege_type,
            CASE given.grantee WHEN 0 THEN 'PUBLIC' ELSE given.grantee::regrole::text END
        );
    END LOOP;
END
$$;
