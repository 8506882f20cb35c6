"""Who may ask a DNS authority for what: a list of what is allowed, and nothing beside it.

A deployer writes zones, their records and the keys that sign them, runbooks write states of pairs, everybody who is
known reads what is public of all that. The private half of a key is read by nobody: a list of keys does not have it,
and a single key, which does, is not handed out. Metadata of a zone are read, and changed by nobody; configuration and
statistics are nobody's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shopsphere.clients.edge_identity import DEPLOYER, RUNBOOKS, USERS
from shopsphere.clients.powerdns import MAY_WRITE, RRset
from shopsphere.edge_door.asked import NOT_OUTSIDE, Asked
from shopsphere.names.pair_state import PairDeclaration

ZONES = "/api/v1/servers/localhost/zones"
_ZONE = re.compile(re.escape(ZONES) + r"/(?P<zone>([a-z0-9_-]+\.)+)")
_KEYS = re.compile(_ZONE.pattern + r"/cryptokeys(/(?P<number>[0-9]{1,9}))?")
_SETTINGS = re.compile(_ZONE.pattern + r"/metadata")
_ORDER = re.compile(_ZONE.pattern + r"/rectify")
_QUERY = {"rrset_name", "rrset_type"}
_NEW_ZONE = {"name", "kind", "nameservers", "soa_edit_api", "rrsets"}
_CHANGE = {"name", "type", "changetype", "ttl", "records"}
_RECORD = {"content", "disabled"}


def dns_problem(asked: Asked, states: Mapping[str, PairDeclaration]) -> str:
    """Say why a request is refused; empty when it is allowed.

    Args:
        asked: the request.
        states: what may be the state of a pair, by the fully qualified name of its record.
    """
    if asked.user not in USERS:
        return "nobody who is known here"
    if _KEYS.fullmatch(asked.path) or _ORDER.fullmatch(asked.path):
        return _signing_problem(asked)
    if _SETTINGS.fullmatch(asked.path):
        is_read = asked.method == "GET" and not asked.query and asked.body is None
        return "" if is_read else "how a zone is served is set on its own host; here it is only read"
    found = _ZONE.fullmatch(asked.path)
    return (
        _records_problem(asked, found["zone"] if found else "", states) if found or asked.path == ZONES else NOT_OUTSIDE
    )


def _records_problem(asked: Asked, zone: str, states: Mapping[str, PairDeclaration]) -> str:
    if asked.method == "GET":
        return "expected no body, and only rrset_name and rrset_type as query" if _more_than_reading(asked) else ""
    if asked.query:
        return "expected no query at a change"
    if asked.user == DEPLOYER:
        return _deployers_problem(asked, zone)
    return _runbooks_problem(asked, zone, states) if asked.user == RUNBOOKS else "may only read"


def state_write_problem(asked: Asked, states: Mapping[str, PairDeclaration]) -> str:
    """Say why runbooks might not make the change that a question names; empty when they might.

    Whoever may read may ask: what is declared is no secret, and watchers have to find out that a plan is old.
    """
    if asked.user not in USERS:
        return "nobody who is known here"
    if asked.method != "PATCH":
        return NOT_OUTSIDE
    return dns_problem(replace(asked, user=RUNBOOKS, path=asked.path.removeprefix(MAY_WRITE)), states)


def _signing_problem(asked: Asked) -> str:
    """Judge what concerns keys of a zone, and the order of its names, without which absence is not proven."""
    if asked.query:
        return "expected no query about keys of a zone"
    if asked.user != DEPLOYER and asked.method != "GET":
        return "may not change how a zone is signed"
    keys = _KEYS.fullmatch(asked.path)
    match asked.method, keys["number"] if keys else "order", asked.body:
        case ("GET", None, None) | ("PUT", "order", None):
            return ""
        case "POST", None, {"keytype": "csk", "active": True, "published": True, "content": str(), **more} if not more:
            return ""
        case "DELETE", str(number), None if number != "order":
            return ""
        case _:
            return "expected a list of keys, a new key that signs, a key's removal, or names put in order"


def _more_than_reading(asked: Asked) -> bool:
    return asked.body is not None or not set(asked.query) <= _QUERY


def _deployers_problem(asked: Asked, zone: str) -> str:
    match asked.method, bool(zone), asked.body:
        case "POST", False, {"kind": "Native", "rrsets": list(rrsets), **more} if set(more) <= _NEW_ZONE:
            return _shape_problem(rrsets)
        case "PATCH", True, {"rrsets": list(rrsets), **more} if not more:
            return _shape_problem(rrsets)
        case "DELETE", True, None:
            return ""
        case _:
            return "expected a new native zone, records of a zone, or a zone's removal"


def _runbooks_problem(asked: Asked, zone: str, states: Mapping[str, PairDeclaration]) -> str:
    match asked.method, asked.body:
        case "PATCH", {"rrsets": [{"name": str(name)} as change], **more} if not more:
            state = states.get(name)
            if state is None or state.zone != zone:
                return f"may write states of pairs alone, not {name[:253]!r}"
            return "" if state.valid(_replaced(change)) else f"expected a state of pair {state.pair} as it is declared"
        case _:
            return "may write the state of one pair alone"


def _replaced(change: Mapping[str, Any]) -> RRset | None:
    """Return the record that a change leaves behind; None where it is another change than that of one record."""
    match change:
        case {
            "name": str(name),
            "type": str(type_),
            "changetype": "REPLACE",
            "ttl": int(ttl),
            "records": [{"content": str(content), "disabled": False, **more_of_it}],
            **more,
        } if not more and not more_of_it and not isinstance(ttl, bool):
            return RRset(name, type_, ttl, (content,))
        case _:
            return None


def _shape_problem(rrsets: list[Any]) -> str:
    """Refuse comments, and whatever else a newer server may take."""
    for each in rrsets:
        if not isinstance(each, dict) or not set(each) <= _CHANGE:
            return f"expected {', '.join(sorted(_CHANGE))} of each rrset"
        records = each.get("records", [])
        if not isinstance(records, list) or any(not isinstance(r, dict) or not set(r) <= _RECORD for r in records):
            return f"expected {' and '.join(sorted(_RECORD))} of each record"
    return ""
