"""The SQL that puts back one fact of a database; empty where somebody has to look first."""

from __future__ import annotations

import re

_ATTRIBUTES = frozenset({"superuser", "replication", "login", "bypassrls", "createrole", "createdb", "inherit"})
_DROPPED = {
    "role": "ROLE",
    "extension": "EXTENSION",
    "publication": "PUBLICATION",
    "subscription": "SUBSCRIPTION",
    "event trigger": "EVENT TRIGGER",
    "foreign server": "SERVER",
    "foreign data wrapper": "FOREIGN DATA WRAPPER",
    "language": "LANGUAGE",
    "view": "VIEW",
    "materialized view": "MATERIALIZED VIEW",
    "foreign table": "FOREIGN TABLE",
    "function": "FUNCTION",
}
"""Objects that hold no data of their own, by what findings call them. DROP refuses while something depends on one."""
_GRANTED = {
    "table": "TABLE",
    "view": "TABLE",
    "materialized view": "TABLE",
    "foreign table": "TABLE",
    "relation": "TABLE",
    "sequence": "SEQUENCE",
    "schema": "SCHEMA",
    "function": "FUNCTION",
    "database": "DATABASE",
}
_KINDS = tuple(sorted({*_DROPPED, *_GRANTED, "setting", "replication slot", "user mapping"}, key=len, reverse=True))
_SCOPE = re.compile(r"for (?:(?P<all>all)|role (?P<role>\S+))?(?: ?in database (?P<database>\S+))?")


def drop(object_: str) -> str:
    """Return the statement that removes an object that nobody declared."""
    kind, name = parted(object_)
    if kind == "replication slot":
        return f"SELECT pg_drop_replication_slot('{name}')"
    if kind == "user mapping":
        user, _, server = name.removeprefix("of ").partition(" on ")
        return f"DROP USER MAPPING FOR {user} SERVER {server}"
    return f"DROP {_DROPPED[kind]} {name}" if kind in _DROPPED else ""


def put_back(object_: str, field: str, declared: str) -> str:
    """Return the statements that give a field of an object its declared value; empty `declared` takes it away."""
    kind, name = parted(object_)
    if kind == "role":
        return _role(name, field, declared)
    if kind == "setting":
        return _setting(name, field)
    granted = re.fullmatch(r"(?:column (?P<column>\S+) )?granted to (?P<who>.+)", field)
    if granted and kind in _GRANTED:
        return _grant(f"{_GRANTED[kind]} {name}", granted["column"] or "", granted["who"], declared)
    if kind in {"table", "function", "schema", "database"} and field == "owner" and declared:
        return f"ALTER {kind.upper()} {name} OWNER TO {declared}"
    return _on_table(name, field, declared) if kind == "table" else ""


def end_receivers(address: str) -> str:
    """Return the statement that ends all connections over which the log goes to an address; empty: to this host."""
    whose = f"client_addr = '{address}'" if address else "client_addr IS NULL"
    return f"SELECT pg_terminate_backend(pid) FROM pg_stat_replication WHERE {whose}"  # noqa: S608 - shown, not run


def parted(object_: str) -> tuple[str, str]:
    """Return kind and name of an object, as in `event trigger`, `spy`."""
    kind = next((each for each in _KINDS if object_.startswith(f"{each} ")), "")
    return kind, object_.removeprefix(f"{kind} ")


def _role(name: str, field: str, declared: str) -> str:
    if field.startswith("member of "):
        group = field.removeprefix("member of ")
        again = f"; GRANT {group} TO {name}" if declared else ""
        return f"REVOKE {group} FROM {name}{again}"
    if field == "password":
        return f"ALTER ROLE {name} PASSWORD NULL" if declared == "no" else ""
    return f"ALTER ROLE {name} {'' if declared == 'yes' else 'NO'}{field.upper()}" if field in _ATTRIBUTES else ""


def _setting(name: str, field: str) -> str:
    if field == "by ALTER SYSTEM":
        return f"ALTER SYSTEM RESET {name}"
    if field.startswith("granted to "):
        return f"REVOKE ALL ON PARAMETER {name} FROM {field.removeprefix('granted to ')}"
    scope = _SCOPE.fullmatch(field)
    if not scope:
        return ""
    database = scope["database"]
    if scope["role"]:
        return f"ALTER ROLE {scope['role']}{f' IN DATABASE {database}' if database else ''} RESET {name}"
    return f"ALTER DATABASE {database} RESET {name}" if database else f"ALTER ROLE ALL RESET {name}"


def _grant(what: str, column: str, who: str, declared: str) -> str:
    only = f" ({column})" if column else ""
    rights = [each.strip() for each in declared.split(",") if each.strip()]
    given = ", ".join(f"{each.rstrip('*')}{only}" for each in rights)
    option = " WITH GRANT OPTION" if rights and all(each.endswith("*") for each in rights) else ""
    again = f"; GRANT {given} ON {what} TO {who}{option}" if given else ""
    return f"REVOKE ALL{only} ON {what} FROM {who}{again}"


def _on_table(name: str, field: str, declared: str) -> str:
    if field == "row security":
        return f"ALTER TABLE {name} {'DISABLE' if declared == 'off' else 'ENABLE'} ROW LEVEL SECURITY"
    if field.startswith("policy ") and not declared:
        return f"DROP POLICY {field.removeprefix('policy ')} ON {name}"
    if field.startswith("rule ") and not declared:
        return f"DROP RULE {field.removeprefix('rule ')} ON {name}"
    if field.startswith("trigger "):
        trigger = field.removeprefix("trigger ")
        if not declared:
            return f"DROP TRIGGER {trigger} ON {name}"
        return f"ALTER TABLE {name} ENABLE TRIGGER {trigger}" if declared.startswith("on,") else ""
    return ""
