-- Give a partition its parent's owner and privileges, and take from it what the parent does not grant.
CREATE OR REPLACE FUNCTION @partman@.apply_privileges(
    p_parent_schema text, p_parent_tablename text, p_child_schema text, p_child_tablename text,
    p_job_id bigint DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    v_parent pg_class%ROWTYPE;
    v_child pg_class%ROWTYPE;
    v_name text := format('%I.%I', p_child_schema, p_child_tablename);
    v_grant record;
BEGIN
    PERFORM p_job_id; -- there is no pg_jobmon to tell
    SELECT c.* INTO v_parent FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = p_parent_schema AND c.relname = p_parent_tablename;
    SELECT c.* INTO v_child FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = p_child_schema AND c.relname = p_child_tablename;
    IF v_child.relowner <> v_parent.relowner THEN
        EXECUTE format('ALTER TABLE %s OWNER TO %I', v_name, pg_get_userbyid(v_parent.relowner));
        SELECT c.* INTO v_child FROM pg_class c WHERE c.oid = v_child.oid;
    END IF;
    FOR v_grant IN
        WITH parent AS (
            SELECT a.grantee, a.privilege_type, a.is_grantable
            FROM aclexplode(coalesce(v_parent.relacl, acldefault('r', v_parent.relowner))) a
        ), child AS (
            SELECT a.grantee, a.privilege_type, a.is_grantable
            FROM aclexplode(coalesce(v_child.relacl, acldefault('r', v_child.relowner))) a
        )
        SELECT false AS given, grantee, privilege_type, is_grantable FROM (TABLE child EXCEPT TABLE parent) gone
        UNION ALL
        SELECT true, grantee, privilege_type, is_grantable FROM (TABLE parent EXCEPT TABLE child) missing
        ORDER BY given
    LOOP
        EXECUTE format('%s %s ON TABLE %s %s %s%s', CASE WHEN v_grant.given THEN 'GRANT' ELSE 'REVOKE' END,
                       v_grant.privilege_type, v_name, CASE WHEN v_grant.given THEN 'TO' ELSE 'FROM' END,
                       CASE v_grant.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(v_grant.grantee)) END,
                       CASE WHEN v_grant.given AND v_grant.is_grantable THEN ' WITH GRANT OPTION'
                            WHEN NOT v_grant.given THEN ' CASCADE' ELSE '' END);
    END LOOP;
END
$body$;
