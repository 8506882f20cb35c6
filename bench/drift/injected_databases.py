"""Drifts inside the databases, by their administrator in the pod: roles, rights, settings, code, ways out."""

from __future__ import annotations

from injections import Ground, Injection, scripted, statement

_HBA = "host all all 10.9.9.9/32 trust"
_RULE = "host all all 10.9.9.9 trust"
"""The same line as the server tells it."""
_HBA_FILE = '"$PGDATA/pg_hba.conf"'
_WITHOUT_IT = (
    "kept=; while IFS= read -r line; do "
    f'[ "$line" = \'{_HBA}\' ] || kept="$kept$line\n"; done < {_HBA_FILE}; printf %s "$kept" > {_HBA_FILE}'
)
"""In words of the shell itself: the image has few programs."""
_WRITABLE = 'chmod u+w "$PGDATA/postgresql.auto.conf"'
_LOGGED = "log_min_duration_statement"


def _psql(statement_: str) -> str:
    return f'psql --no-psqlrc --quiet --dbname=postgres --command "{statement_}"'


_RELOAD = _psql("SELECT pg_reload_conf()")


def databases(ground: Ground) -> list[Injection]:
    """Return all of them; each names object and field as the report of drift does."""

    def sql(sort: str, database: str, name: str, field: str, do: str, undo: str, *also: str) -> Injection:
        return statement(ground, sort, database, name, field, do, undo, also)

    # fmt: off
    return [
        sql("database role", "ledger", "role mallory", "", "CREATE ROLE mallory LOGIN", "DROP ROLE mallory"),
        sql("database role", "ledger", "role ledger", "replication",
            "ALTER ROLE ledger REPLICATION", "ALTER ROLE ledger NOREPLICATION"),
        sql("database role", "commerce", "role commerce", "createrole",
            "ALTER ROLE commerce CREATEROLE", "ALTER ROLE commerce NOCREATEROLE"),
        sql("database role", "commerce", "role shop_app", "member of pg_read_all_data",
            "GRANT pg_read_all_data TO shop_app", "REVOKE pg_read_all_data FROM shop_app"),
        sql("database role", "ledger", "role payments_app", "password",
            "ALTER ROLE payments_app PASSWORD 'mallory'", "ALTER ROLE payments_app PASSWORD NULL"),
        sql("database grant", "ledger", "ledger: table payments.payment", "granted to PUBLIC",
            "GRANT SELECT ON payments.payment TO PUBLIC", "REVOKE SELECT ON payments.payment FROM PUBLIC"),
        sql("database grant", "ledger", "ledger: table ledger.entry", "granted to payments_app",
            "GRANT DELETE ON ledger.entry TO payments_app", "REVOKE DELETE ON ledger.entry FROM payments_app"),
        sql("database grant", "ledger", "database ledger", "granted to payments_app",
            "GRANT CREATE ON DATABASE ledger TO payments_app", "REVOKE CREATE ON DATABASE ledger FROM payments_app"),
        sql("database grant", "ledger", "ledger: default rights of ledger in ledger", "tables granted to PUBLIC",
            "ALTER DEFAULT PRIVILEGES FOR ROLE ledger IN SCHEMA ledger GRANT SELECT ON TABLES TO PUBLIC",
            "ALTER DEFAULT PRIVILEGES FOR ROLE ledger IN SCHEMA ledger REVOKE SELECT ON TABLES FROM PUBLIC"),
        sql("database grant", "ledger", "setting log_statement", "granted to payments_app",
            "GRANT SET ON PARAMETER log_statement TO payments_app",
            "REVOKE SET ON PARAMETER log_statement FROM payments_app"),
        sql("database setting", "commerce", "setting log_statement", "for role shop_app",
            "ALTER ROLE shop_app SET log_statement = 'all'", "ALTER ROLE shop_app RESET log_statement"),
        sql("database setting", "ledger", "setting row_security", "for in database ledger",
            "ALTER DATABASE ledger SET row_security = off", "ALTER DATABASE ledger RESET row_security"),
        scripted(ground, "database setting", "commerce", f"setting {_LOGGED}", "by ALTER SYSTEM",
                 f"{_WRITABLE}; {_psql(f'ALTER SYSTEM SET {_LOGGED} = 0')} && {_RELOAD}",
                 f"{_WRITABLE}; {_psql(f'ALTER SYSTEM RESET {_LOGGED}')} && {_RELOAD}"),
        scripted(ground, "pg_hba.conf", "commerce", "pg_hba.conf", _RULE,
                 f"echo '{_HBA}' >> {_HBA_FILE} && {_RELOAD}", f"{_WITHOUT_IT} && {_RELOAD}"),
        sql("publication, subscription or slot", "commerce", "commerce: publication leak", "",
            "CREATE PUBLICATION leak FOR ALL TABLES", "DROP PUBLICATION leak"),
        sql("publication, subscription or slot", "ledger", "ledger: subscription pull", "",
            "CREATE SUBSCRIPTION pull CONNECTION 'host=10.9.9.9 dbname=x' PUBLICATION p "
            "WITH (connect = false, enabled = false, slot_name = NONE)", "DROP SUBSCRIPTION pull"),
        sql("publication, subscription or slot", "commerce", "replication slot leak", "",
            "SELECT pg_create_physical_replication_slot('leak')", "SELECT pg_drop_replication_slot('leak')"),
        sql("way out of a database", "commerce", "commerce: extension postgres_fdw", "",
            "CREATE EXTENSION postgres_fdw", "DROP EXTENSION postgres_fdw",
            "commerce: foreign data wrapper postgres_fdw"),
        sql("way out of a database", "ledger", "ledger: foreign data wrapper way_out", "",
            "CREATE FOREIGN DATA WRAPPER way_out", "DROP FOREIGN DATA WRAPPER way_out"),
        sql("code or object of a database", "ledger", "ledger: function public.peek()", "",
            "CREATE FUNCTION public.peek() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT ''x''::text'",
            "DROP FUNCTION public.peek()"),
        sql("code or object of a database", "ledger", "ledger: function ledger.refuse_change()", "runs as",
            "ALTER FUNCTION ledger.refuse_change() SECURITY DEFINER",
            "ALTER FUNCTION ledger.refuse_change() SECURITY INVOKER"),
        sql("code or object of a database", "ledger", "ledger: table ledger.entry", "trigger append_only",
            "ALTER TABLE ledger.entry DISABLE TRIGGER append_only",
            "ALTER TABLE ledger.entry ENABLE TRIGGER append_only"),
        sql("code or object of a database", "ledger", "ledger: view public.everything", "",
            "CREATE VIEW public.everything AS SELECT * FROM payments.payment", "DROP VIEW public.everything"),
        sql("code or object of a database", "ledger", "ledger: table payments.payment", "policy open_to_all",
            "CREATE POLICY open_to_all ON payments.payment USING (true)",
            "DROP POLICY open_to_all ON payments.payment"),
        sql("code or object of a database", "commerce", "commerce: schema backdoor", "",
            "CREATE SCHEMA backdoor", "DROP SCHEMA backdoor"),
        sql("code or object of a database", "commerce", "database spare", "",
            "CREATE DATABASE spare", "DROP DATABASE spare"),
    ]
    # fmt: on
