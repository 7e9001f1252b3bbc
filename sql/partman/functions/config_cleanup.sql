-- Forget a set: its policy, how its partitions are sub-partitioned, its template. Table and partitions stay.
CREATE OR REPLACE FUNCTION @partman@.config_cleanup(
    p_parent_table text, p_config_table boolean DEFAULT true, p_config_sub_table boolean DEFAULT true,
    p_template_table boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    s record;
    v_template text;
    v_parts text[];
BEGIN
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    IF s.key IS NULL THEN
        RAISE EXCEPTION 'Given table is not managed by this extension: %', p_parent_table;
    END IF;
    SELECT c.template_table INTO v_template FROM @schema@.part_config c WHERE c.parent_table = s.key;
    IF p_config_sub_table THEN
        DELETE FROM @schema@.part_config_sub c WHERE c.sub_parent = s.key;
    END IF;
    IF p_config_table THEN
        DELETE FROM @schema@.part_config c WHERE c.parent_table = s.key;
    END IF;
    v_parts := @partman@._split(v_template);
    -- Only a template that was made for this set, and that no other set is made by.
    IF p_template_table AND v_parts[1] = (parse_ident($name$@partman@$name$))[1] AND v_parts[2] LIKE 'template\_%'
       AND @partman@._oid(v_template) IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM @schema@.part_config c WHERE c.template_table = v_template AND c.parent_table <> s.key)
       AND NOT EXISTS (SELECT 1 FROM @schema@.part_config_sub c WHERE c.sub_template_table = v_template AND c.sub_parent <> s.key) THEN
        EXECUTE format('DROP TABLE %I.%I', v_parts[1], v_parts[2]);
    END IF;
END
$body$;
