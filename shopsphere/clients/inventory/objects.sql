-- Facts of one database: who owns what in it, who may do what with it, which code runs there, and which ways lead out.
-- Oids below 16384 are PostgreSQL's own (FirstNormalObjectId). Names are quoted, as in server.sql.
SELECT * FROM (
SELECT 'schema ' || quote_ident(nspname), 'owner', pg_get_userbyid(nspowner)
FROM pg_namespace WHERE nspname !~ '^pg_(toast|temp)'
UNION ALL
SELECT 'schema ' || quote_ident(nspname),
  'granted to ' || CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
  string_agg(privilege_type || CASE WHEN is_grantable THEN '*' ELSE '' END, ', ' ORDER BY privilege_type)
FROM pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner)))
WHERE nspname !~ '^pg_(toast|temp)' AND grantee <> nspowner GROUP BY nspname, grantee
) AS schemas
UNION ALL
SELECT * FROM (
WITH relations AS (
  SELECT pg_class.oid, relacl, relowner, relrowsecurity, relforcerowsecurity, relkind, CASE relkind WHEN 'v' THEN 'view'
      WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' WHEN 'S' THEN 'sequence' ELSE 'table' END
    || ' ' || quote_ident(nspname) || '.' || quote_ident(relname) AS object
  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
  WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND pg_class.oid >= 16384 AND nspname !~ '^pg_(toast|temp)')
SELECT object, 'owner', pg_get_userbyid(relowner) FROM relations
UNION ALL
SELECT object,
  'granted to ' || CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
  string_agg(privilege_type || CASE WHEN is_grantable THEN '*' ELSE '' END, ', ' ORDER BY privilege_type) FROM relations,
  aclexplode(coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, relowner)))
WHERE grantee <> relowner GROUP BY object, grantee
UNION ALL
SELECT object, 'column ' || quote_ident(attname) || ' granted to ' || CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
  string_agg(privilege_type || CASE WHEN is_grantable THEN '*' ELSE '' END, ', ' ORDER BY privilege_type)
FROM relations JOIN pg_attribute ON attrelid = relations.oid, aclexplode(attacl) WHERE grantee <> relowner
GROUP BY object, attname, grantee
UNION ALL
SELECT object, 'row security', CASE WHEN relforcerowsecurity THEN 'on, for its owner too' WHEN relrowsecurity THEN 'on'
  ELSE 'off' END FROM relations WHERE relkind IN ('r', 'p')
UNION ALL
SELECT object, 'policy ' || quote_ident(polname),
  concat_ws(' ', CASE WHEN polpermissive THEN 'permits' ELSE 'restricts' END, polcmd,
  'using', pg_get_expr(polqual, polrelid), 'check', pg_get_expr(polwithcheck, polrelid), 'to', polroles::regrole[]::text)
FROM relations JOIN pg_policy ON polrelid = relations.oid
UNION ALL
SELECT object, 'trigger ' || quote_ident(tgname), CASE tgenabled WHEN 'O' THEN 'on' WHEN 'D' THEN 'off'
  ELSE 'on: ' || tgenabled::text END || ', ' || tgfoid::regprocedure::text
FROM relations JOIN pg_trigger ON tgrelid = relations.oid
WHERE NOT tgisinternal
UNION ALL
SELECT object, 'rule ' || quote_ident(rulename), md5(pg_get_ruledef(pg_rewrite.oid))
FROM relations JOIN pg_rewrite ON ev_class = relations.oid WHERE rulename <> '_RETURN'
UNION ALL
SELECT object, 'definition', md5(pg_get_viewdef(oid)) FROM relations WHERE relkind IN ('v', 'm')
) AS relations
UNION ALL
-- Without what an extension brings in its own library; what somebody made a part of an extension is told.
SELECT * FROM (
WITH functions AS (
  SELECT pg_proc.oid, 'function ' || pg_proc.oid::regprocedure::text AS object,
    proowner, proacl, lanname, prosecdef, proconfig,
    prosrc, probin, prosqlbody
  FROM pg_proc JOIN pg_language ON pg_language.oid = prolang WHERE pg_proc.oid >= 16384 AND NOT EXISTS (
    SELECT FROM pg_depend JOIN pg_extension ON pg_extension.oid = refobjid WHERE classid = 'pg_proc'::regclass
      AND objid = pg_proc.oid AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
      AND probin = '$libdir/' || extname))
SELECT object, fact, value FROM functions, LATERAL (VALUES
  ('owner', pg_get_userbyid(proowner)),
  ('language', lanname::text),
  ('runs as', CASE WHEN prosecdef THEN 'its owner' ELSE 'its caller' END),
  ('settings', coalesce(array_to_string(proconfig, ' '), '')),
  ('body', md5(concat(prosrc, probin, pg_get_function_sqlbody(oid))))) AS facts(fact, value)
WHERE value <> ''
UNION ALL
SELECT object,
  'granted to ' || CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
  string_agg(privilege_type || CASE WHEN is_grantable THEN '*' ELSE '' END, ', ' ORDER BY privilege_type)
FROM functions, aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE grantee <> proowner
GROUP BY object, grantee
) AS functions
UNION ALL
-- Rights to PostgreSQL's own functions and tables that it did not come with.
SELECT * FROM (
SELECT 'function pg_catalog.' || oid::regprocedure::text,
  'granted to ' || CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
  string_agg(privilege_type || CASE WHEN is_grantable THEN '*' ELSE '' END, ', ' ORDER BY privilege_type) FROM (
  SELECT oid, proacl AS acl, (SELECT initprivs FROM pg_init_privs WHERE objoid = pg_proc.oid
    AND classoid = 'pg_proc'::regclass AND objsubid = 0) AS first, acldefault('f', proowner) AS usual
  FROM pg_proc WHERE oid < 16384 AND proacl IS NOT NULL) AS changed, LATERAL (
    SELECT * FROM aclexplode(acl) EXCEPT SELECT * FROM aclexplode(coalesce(first, usual))) AS added
GROUP BY oid, grantee
UNION ALL
SELECT 'relation ' || oid::regclass::text,
  'granted to ' || CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
  string_agg(privilege_type || CASE WHEN is_grantable THEN '*' ELSE '' END, ', ' ORDER BY privilege_type) FROM (
  SELECT oid, relacl AS acl, (SELECT initprivs FROM pg_init_privs WHERE objoid = pg_class.oid
    AND classoid = 'pg_class'::regclass AND objsubid = 0) AS first, acldefault('r', relowner) AS usual
  FROM pg_class WHERE oid < 16384 AND relacl IS NOT NULL AND relnamespace = 'pg_catalog'::regnamespace)
  AS changed, LATERAL (
    SELECT * FROM aclexplode(acl) EXCEPT SELECT * FROM aclexplode(coalesce(first, usual))) AS added
GROUP BY oid, grantee
) AS system
UNION ALL
SELECT * FROM (
SELECT 'default rights of ' || quote_ident(pg_get_userbyid(defaclrole)) || coalesce(' in ' || defaclnamespace_.nspname, ''),
  CASE defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types'
    ELSE 'schemas' END || ' granted to ' || CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
  string_agg(privilege_type || CASE WHEN is_grantable THEN '*' ELSE '' END, ', ' ORDER BY privilege_type)
FROM pg_default_acl LEFT JOIN pg_namespace AS defaclnamespace_ ON defaclnamespace_.oid = defaclnamespace,
  aclexplode(defaclacl) GROUP BY defaclrole, defaclnamespace_.nspname, defaclobjtype, grantee
) AS defaults
UNION ALL
-- Of a user mapping's options only the names are told, and of a connection string only the host: they hold passwords.
SELECT * FROM (
SELECT 'extension ' || quote_ident(extname), '', 'in ' || extnamespace::regnamespace::text FROM pg_extension
UNION ALL
SELECT 'language ' || quote_ident(lanname), '', CASE WHEN lanpltrusted THEN 'trusted' ELSE 'untrusted' END FROM pg_language
UNION ALL
SELECT 'foreign data wrapper ' || quote_ident(fdwname), '', coalesce(fdwhandler::regproc::text, '') FROM pg_foreign_data_wrapper
UNION ALL
SELECT 'foreign server ' || quote_ident(srvname), '', coalesce((SELECT string_agg(option, ' ' ORDER BY option)
  FROM unnest(srvoptions) AS option WHERE option ~ '^(host|hostaddr|port|dbname)='), 'no host') FROM pg_foreign_server
UNION ALL
SELECT 'user mapping of ' || quote_ident(usename) || ' on ' || quote_ident(srvname), '',
  coalesce((SELECT string_agg(split_part(option, '=', 1), ' ') FROM unnest(umoptions) AS option), '') FROM pg_user_mappings
UNION ALL
SELECT 'publication ' || quote_ident(pubname), '', CASE WHEN puballtables THEN 'all tables' ELSE coalesce((SELECT string_agg(
  prrelid::regclass::text, ', ' ORDER BY prrelid::regclass::text) FROM pg_publication_rel WHERE prpubid = pg_publication.oid),
  'whole schemas, or nothing') END FROM pg_publication
UNION ALL
SELECT 'subscription ' || quote_ident(subname), '',
  'from ' || coalesce(substring(subconninfo FROM 'host=''?([^ '']+)'), 'this host')
FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
UNION ALL
SELECT 'event trigger ' || quote_ident(evtname), '',
  concat_ws(' ', evtevent, evtfoid::regprocedure, CASE evtenabled WHEN 'D' THEN 'off' END)
FROM pg_event_trigger
) AS ways_out
