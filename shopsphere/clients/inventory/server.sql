-- Facts of a server as a whole: an object, a field of it and the value. Names are quoted where they have to be, because
-- statements are made of them. What PostgreSQL's own roles are to each other is left out.
SELECT 'role ' || quote_ident(rolname), attribute, CASE WHEN has THEN 'yes' ELSE 'no' END FROM pg_authid, LATERAL (VALUES
  ('superuser', rolsuper), ('replication', rolreplication), ('login', rolcanlogin), ('bypassrls', rolbypassrls),
  ('createrole', rolcreaterole), ('createdb', rolcreatedb), ('inherit', rolinherit), ('password', rolpassword IS NOT NULL))
  AS attributes(attribute, has) WHERE rolname !~ '^pg_'
UNION ALL
SELECT 'role ' || quote_ident(member.rolname), 'member of ' || quote_ident(granted.rolname),
  CASE WHEN admin_option THEN 'yes, and may admit others' ELSE 'yes' END
FROM pg_auth_members JOIN pg_roles AS granted ON granted.oid = roleid JOIN pg_roles AS member
  ON member.oid = pg_auth_members.member WHERE member.rolname !~ '^pg_'
UNION ALL
SELECT 'database ' || quote_ident(datname), fact, value FROM pg_database, LATERAL (VALUES
  ('owner', pg_get_userbyid(datdba)),
  ('tablespace', (SELECT spcname FROM pg_tablespace WHERE oid = dattablespace)),
  ('lets clients connect', CASE WHEN datallowconn THEN 'yes' ELSE 'no' END)) AS facts(fact, value)
UNION ALL
SELECT 'database ' || quote_ident(datname),
  'granted to ' || CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
  string_agg(privilege_type || CASE WHEN is_grantable THEN '*' ELSE '' END, ', ' ORDER BY privilege_type)
FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) WHERE grantee <> datdba
GROUP BY datname, grantee
UNION ALL
SELECT 'tablespace ' || quote_ident(spcname), '', 'at ' || pg_tablespace_location(oid) FROM pg_tablespace
WHERE spcname NOT IN ('pg_default', 'pg_global')
UNION ALL
SELECT 'setting ' || name, '', current_setting(name) FROM pg_settings
WHERE source NOT IN ('default', 'client', 'session') OR name IN
  ('log_statement', 'log_min_duration_statement', 'log_connections', 'session_preload_libraries',
   'local_preload_libraries', 'archive_library', 'archive_cleanup_command', 'recovery_end_command', 'ssl', 'fsync',
   'full_page_writes', 'row_security', 'synchronous_commit', 'password_encryption')
UNION ALL
SELECT 'setting ' || name, 'by ALTER SYSTEM', coalesce(setting, '') FROM pg_file_settings
WHERE sourcefile ~ 'postgresql[.]auto[.]conf$' GROUP BY name, setting
UNION ALL
SELECT 'setting ' || split_part(one, '=', 1),
  'for' || CASE WHEN setrole = 0 AND setdatabase = 0 THEN ' all' ELSE '' END
  || CASE WHEN setrole = 0 THEN '' ELSE ' role ' || quote_ident(pg_get_userbyid(setrole)) END
  || coalesce(' in database ' || (SELECT quote_ident(datname) FROM pg_database WHERE oid = setdatabase), ''),
  substring(one FROM position('=' IN one) + 1)
FROM pg_db_role_setting, unnest(setconfig) AS one
UNION ALL
SELECT 'setting ' || parname,
  'granted to ' || CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
  string_agg(privilege_type, ', ' ORDER BY privilege_type)
FROM pg_parameter_acl, aclexplode(paracl) WHERE grantee <> 10 GROUP BY parname, grantee
UNION ALL
SELECT 'replication slot ' || slot_name, '', slot_type || coalesce(' for ' || plugin || ' in ' || database, '')
FROM pg_replication_slots WHERE NOT temporary
UNION ALL
SELECT 'identity map ' || map_name, 'lets in as ' || pg_username, coalesce(string_agg(sys_name, ', ' ORDER BY sys_name), '')
FROM pg_ident_file_mappings WHERE error IS NULL GROUP BY map_name, pg_username
