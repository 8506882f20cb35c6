-- What depends on the role, and the lines of pg_hba.conf: as the file has them, without what PostgreSQL adds to `cert`
-- by itself. They count from the next reload on, at the latest; a line that cannot be read is told as its error.
SELECT jsonb_build_object(
  'in_recovery', pg_is_in_recovery(),
  'synchronous', current_setting('synchronous_standby_names'),
  'source', coalesce(substring(current_setting('primary_conninfo') FROM 'host=''?([^ '']+)'), ''),
  'source_tls', coalesce(substring(current_setting('primary_conninfo') FROM 'sslmode=''?([^ '']+)'), ''),
  'rules', (
SELECT coalesce(jsonb_agg(rule ORDER BY line_number), '[]') FROM (
  SELECT line_number, CASE WHEN type IS NULL THEN 'line ' || line_number || ' cannot be read: ' || error
    ELSE concat_ws(' ', type, array_to_string(database, ','), array_to_string(user_name, ','),
      address || coalesce('/' || netmask, ''), auth_method,
      array_to_string(nullif(array_remove(options, 'clientcert=verify-full'), '{}'), ' ')) END AS rule
  FROM pg_hba_file_rules) AS rules
),
  'senders', (SELECT coalesce(jsonb_agg(jsonb_build_object('application', application_name,
      'user', coalesce(usename, ''), 'address', coalesce(host(client_addr), ''))), '[]') FROM pg_stat_replication))
