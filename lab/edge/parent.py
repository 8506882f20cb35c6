"""In place of a registry: the zone above the shop's, and the keys that the lab's resolver trusts.

A real resolver trusts the root alone and follows DS records down to a zone. The lab's knows no root, so what the parent
zone shows is given to it as trust anchors, at the same moment. The authorities themselves serve the parent zone.
"""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from lab.edge.settings import EdgeSettings
from shopsphere.clients.powerdns import DnsAuthority, RRset, connect_inside
from shopsphere.foundation.errors import UsageError
from shopsphere.foundation.files import write_whole
from shopsphere.foundation.process import run
from shopsphere.names.zone_ds import leads
from shopsphere.names.zone_keys import ZoneKey
from shopsphere.names.zone_signing import signing_keys

DS_TTL_SECONDS = 30
"""A real parent's is an hour or a day; a roll of keys waits for it."""
SIGNING = "--signing"
"""In place of DS: those of the keys that sign now."""
_DS = re.compile(r"[0-9]{1,5} 13 (1 [0-9a-f]{40}|2 [0-9a-f]{64}|4 [0-9a-f]{96}|[3-9] [0-9a-f]{64})")
_RELOAD_SECONDS = 10


def anchors_file(settings: EdgeSettings) -> Path:
    """Return the Lua file with the resolver's trust anchors."""
    return settings.disk / "resolver" / "anchors.lua"


def anchors_text(zone: str, ds: Sequence[str]) -> str:
    """Return trust anchors as the resolver reads them: none but these, so that everything else needs no signature."""
    return "clearTA()\n" + "".join(f"addTA('{zone.removesuffix('.')}', '{each}')\n" for each in ds)


def parent_of(zone: str) -> str:
    """Return the name of the zone above, both fully qualified."""
    return zone.partition(".")[2]


def shown_before(settings: EdgeSettings, zone: str) -> list[str]:
    """Return the DS that the parent zone was told last to show, as the resolver's anchors keep them; none at first."""
    file = anchors_file(settings)
    return _anchors(zone).findall(file.read_text()) if file.exists() else []


def _anchors(zone: str) -> re.Pattern[str]:
    return re.compile(rf"^addTA\('{re.escape(zone.removesuffix('.'))}', '([^']+)'\)$", re.MULTILINE)


def ensure_parent(database: Path, zone: str, authorities: Sequence[str], ds: Sequence[str] = ()) -> None:
    """Put the zone above into an authority's store where it is not yet.

    Args:
        database: the store, of an authority that runs or does not.
        zone: the shop's, fully qualified.
        authorities: labels of the name servers inside it.
        ds: of the keys for which it vouches: those of before, where the store was lost; at first none.
    """
    parent, own = parent_of(zone).removesuffix("."), zone.removesuffix(".")
    soa = f"{authorities[0]}.{own} hostmaster.{own} 1 10800 3600 604800 5"
    servers = [f"{name}.{own}" for name in authorities]
    records = [(parent, "SOA", soa), *((name, "NS", server) for name in (parent, own) for server in servers)]
    records += [(own, "DS", each) for each in ds]
    with closing(sqlite3.connect(database, timeout=_RELOAD_SECONDS)) as connection, connection:
        if connection.execute("SELECT 1 FROM domains WHERE name = ?", (parent,)).fetchone():
            return
        made = connection.execute("INSERT INTO domains (name, type) VALUES (?, 'NATIVE')", (parent,)).lastrowid
        connection.executemany(
            "INSERT INTO records (domain_id, name, type, content, ttl, disabled, auth) VALUES (?, ?, ?, ?, ?, 0, ?)",
            [(made, *each, DS_TTL_SECONDS, not (each[0] == own and each[1] == "NS")) for each in records],
        )


def show_ds(settings: EdgeSettings, zone: str, ds: Sequence[str], *, unknown: bool = False) -> None:
    """Let the parent zone vouch for these keys of a zone alone, and the resolver trust them.

    As many registries do, it refuses a DS of a key that does not sign: with it alone every answer counts as forged.

    Args:
        settings: of the edge host; called inside of it.
        zone: fully qualified, with the dot at the end.
        ds: of each key; none takes all away, so that nobody checks signatures any more.
        unknown: also DS of keys that do not sign, as a registry without that check; for tests.

    Raises:
        UsageError: one of them is no DS of a key of the zone's kind, or of none with which every authority signs.
        EdgeError: an authority does not answer.
        CommandError: the resolver does not read its anchors.
    """
    if wrong := [each for each in ds if not _DS.fullmatch(each)]:
        raise UsageError.build(
            "no such DS",
            expected="`TAG 13 2 DIGEST`, with 64 small hexadecimal digits, as the edge's stack prints it, or SHA-384",
            found=wrong[0][:100],
            action="give each DS as one word, in quotes",
        )
    signing = [] if unknown else _signing(settings, zone)
    foreign = sorted(each for each in ds if not unknown and not any(leads([each], zone, key) for key in signing))
    if foreign:
        raise UsageError.build(
            "no key of that DS signs at every authority: customers who check would lose every name",
            expected=" or ".join(signing_ds(settings, zone)) or "none, as no authority signs",
            found=", ".join(foreign),
            action="`shopsphere zone keys` says which keys sign; give the DS of one",
        )
    parent = parent_of(zone)
    for authority in _authorities(settings):
        if ds:
            authority.replace(parent, [RRset(zone, "DS", DS_TTL_SECONDS, tuple(sorted(ds)))])
        else:
            authority.remove(parent, zone, "DS")
    write_whole(anchors_file(settings), anchors_text(zone, ds))
    control = ["rec_control", f"--socket-dir={settings.run / 'resolver'}", "reload-lua-config"]
    run(control, seconds=_RELOAD_SECONDS)


def signing_ds(settings: EdgeSettings, zone: str) -> list[str]:
    """Return the DS of each key that every authority signs with; called inside of the edge host."""
    return sorted(key.ds(zone) for key in _signing(settings, zone))


def _signing(settings: EdgeSettings, zone: str) -> list[ZoneKey]:
    return [ZoneKey(each) for each in frozenset.intersection(*(signing_keys(a, zone) for a in _authorities(settings)))]


def _authorities(settings: EdgeSettings) -> list[DnsAuthority]:
    key = str(settings.dns_api_key_file)
    return [connect_inside(each, f"http://127.0.0.1:{settings.inner_port(each)}", key) for each in settings.authorities]


def main(words: Sequence[str]) -> None:
    """Run inside the edge host: `python -m lab.edge.parent ZONE DS...`, or `ZONE --signing`."""
    from lab.edge.components import lab_settings  # noqa: PLC0415 - it imports all programs of the host

    zone, *ds = words
    settings = lab_settings()
    if ds == [SIGNING] and not (ds := signing_ds(settings, zone)):
        raise UsageError(f"no key signs {zone} at every authority: the parent zone shows what it showed before")
    show_ds(settings, zone, ds)


if __name__ == "__main__":
    main(sys.argv[1:])
