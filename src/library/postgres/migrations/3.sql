-- Version 3 of a team's library: what is large of it can be on other servers.

ALTER TABLE lookalike.library
    -- Tells it from other libraries.
    ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid(),
    -- Of a database that is a shard: of which library, which of how many, from 0.
    ADD COLUMN shard_of uuid,
    ADD COLUMN shard integer,
    ADD COLUMN shards integer;

-- The databases that keep what is large. Without any, it is all in this one. A sample is on the shard whose number is the first two bytes
-- of its SHA-256, as a number, modulo the number of shards.
CREATE TABLE lookalike.shards (
    number integer PRIMARY KEY,
    -- Without user and password.
    url text NOT NULL UNIQUE
);

-- Who may see looks may see this, so roles.sql need not be run again.
DO $$
DECLARE
    given record;
BEGIN
    FOR given IN
        SELECT DISTINCT acl.grantee FROM pg_class c, aclexplode(c.relacl) AS acl
        WHERE c.oid = 'lookalike.looks'::regclass AND acl.privilege_type = 'SELECT' AND acl.grantee <> c.relowner
    LOOP
        EXECUTE format(
            'GRANT SELECT ON lookalike.shards TO %s',
            CASE given.grantee WHEN 0 THEN 'PUBLIC' ELSE given.grantee::regrole::text END
        );
    END LOOP;
END
$$;
