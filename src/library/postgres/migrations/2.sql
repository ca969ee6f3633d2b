-- Version 2 of a team's library: what an index finds near samples by.

-- The vector of a sample by which an index finds it, for a model with views (`search::Candidates`): what it looks like by all views
-- together, at half precision. It follows from what is in looks, so it can be made again.
CREATE TABLE lookalike.candidates (
    model bigint NOT NULL REFERENCES lookalike.models ON DELETE CASCADE,
    sample bigint NOT NULL REFERENCES lookalike.samples ON DELETE CASCADE,
    -- `search::CANDIDATE`.
    version integer NOT NULL,
    vector halfvec NOT NULL,
    PRIMARY KEY (model, sample)
);

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
            'GRANT %s ON lookalike.candidates TO %s', given.privilege_type,
            CASE given.grantee WHEN 0 THEN 'PUBLIC' ELSE given.grantee::regrole::text END
        );
    END LOOP;
END
$$;
