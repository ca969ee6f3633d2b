-- Version 4 of a team's library: what was done while the server could not be reached, and sent later.

-- What was received, so that what is sent again, because its acknowledgement was lost, is not done again.
CREATE TABLE lookalike.received (
    -- What the sender drew for it.
    token bytea PRIMARY KEY CHECK (octet_length(token) = 16),
    -- What it changed; NULL if nothing was left to change.
    edit bigint REFERENCES lookalike.edits,
    at timestamptz NOT NULL DEFAULT now(),
    who text NOT NULL DEFAULT session_user
);

-- Who may see edits, and make them, may do the same here, so roles.sql need not be run again.
DO $$
DECLARE
    given record;
BEGIN
    FOR given IN
        SELECT DISTINCT acl.grantee, acl.privilege_type FROM pg_class c, aclexplode(c.relacl) AS acl
        WHERE c.oid = 'lookalike.edits'::regclass AND acl.privilege_type IN ('SELECT', 'INSERT')
            AND acl.grantee <> c.relowner
    LOOP
        EXECUTE format(
            'GRANT %s ON lookalike.received TO %s', given.privilege_type,
            CASE given.grantee WHEN 0 THEN 'PUBLIC' ELSE given.grantee::regrole::text END
        );
    END LOOP;
END
$$;
