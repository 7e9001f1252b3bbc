-- The privileges on tables and views that a role may know of.
CREATE OR REPLACE VIEW @partman@.table_privs AS
SELECT grantor.rolname AS grantor, coalesce(grantee.rolname, 'PUBLIC'::name) AS grantee, n.nspname AS table_schema,
       c.relname AS table_name, a.privilege_type
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL pg_catalog.aclexplode(coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner))) a
JOIN pg_catalog.pg_roles grantor ON grantor.oid = a.grantor
LEFT JOIN pg_catalog.pg_roles grantee ON grantee.oid = a.grantee
WHERE c.relkind IN ('r', 'v', 'p')
  AND a.privilege_type IN ('INSERT', 'SELECT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER')
  AND (pg_catalog.pg_has_role(a.grantor, 'USAGE') OR a.grantee = 0 OR pg_catalog.pg_has_role(a.grantee, 'USAGE'));
