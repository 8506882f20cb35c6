"""A PowerDNS authoritative server with a store of its own, so that losing one authority loses no zone."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from lab.component import Component
from lab.edge.configured import digest_of
from lab.edge.parent import ensure_parent, shown_before
from lab.edge.settings import EdgeSettings
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.files import secret_in, write_whole

SCHEMA_FILE = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")


class SchemaMissingError(ShopSphereError):
    """The package that brings the store's schema is not installed."""


# The API listens on loopback alone: the door in front of it knows users, and the key never crosses the network.
# Each answer is signed as it is made, with keys that the deployment brings to all authorities (docs/zone-keys.md).
# Changes by DNS itself are for nobody; they are switched on because only then does the server write down who tried.
# Caches are off: a pair's state record must be seen by the next question, also where another process wrote it.
_CONFIGURATION = """\
launch=gsqlite3
gsqlite3-database={database}
gsqlite3-dnssec=yes
local-address={address}
local-port={port}
socket-dir={run}
api=yes
api-key={key}
webserver=yes
webserver-address=127.0.0.1
webserver-port={api_port}
webserver-allow-from=127.0.0.1/32
webserver-password={web_password}
dnsupdate=yes
allow-dnsupdate-from=
forward-dnsupdate=no
enable-lua-records=yes
lua-health-checks-interval=2
edns-subnet-processing=yes
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=1
zone-cache-refresh-interval=0
zone-metadata-cache-ttl=1
domain-metadata-cache-ttl=1
distributor-threads=2
receiver-threads=1
resolver=no
security-poll-suffix=
version-string=anonymous
default-soa-content=ns1.@ hostmaster.@ 0 10800 3600 604800 5
disable-syslog=yes
log-timestamp=no
loglevel=4
"""


def authority_component(settings: EdgeSettings, name: str) -> Component:
    """Return the server `name` of `settings.authorities`."""
    configuration = settings.disk / name
    command = ("/usr/sbin/pdns_server", f"--config-dir={configuration}", "--daemon=no", "--guardian=no")
    return Component(f"dns-{name}", command, digest_of(configuration / "pdns.conf"), priority=20)


def prepare_authority(settings: EdgeSettings, name: str, zone: str) -> None:
    """Write the configuration and, the first time, create the store from the packaged schema.

    Args:
        settings: of the host.
        name: of the authority.
        zone: the shop's, above which there is one that vouches for its keys.
    """
    folder = settings.disk / name
    run = settings.run / name
    folder.mkdir(parents=True, exist_ok=True)
    run.mkdir(parents=True, exist_ok=True)
    database = folder / "zones.sqlite3"
    text = _CONFIGURATION.format(
        database=database,
        address=settings.authorities[name],
        port=settings.dns_port,
        run=run,
        key=secret_in(settings.dns_api_key_file),
        # For the pages about the server itself, which the API's key does not guard.
        web_password=secret_in(settings.disk / "dns-web.password"),
        api_port=settings.inner_port(name),
    )
    write_whole(folder / "pdns.conf", text, mode=0o600)
    if not database.exists():
        create_store(database)
    ensure_parent(database, zone, list(settings.authorities), shown_before(settings, zone))


def create_store(database: Path) -> None:
    """Create an empty store; a half-made one never gets the final name."""
    if not SCHEMA_FILE.exists():
        raise SchemaMissingError.build(
            "no schema for the DNS authorities' store",
            expected=f"{SCHEMA_FILE}, from package pdns-backend-sqlite3",
            found="no such file",
            action="run `shopsphere lab up` as root, which installs it",
        )
    beside = database.with_suffix(".new")
    beside.unlink(missing_ok=True)
    connection = sqlite3.connect(beside)
    try:
        # Write-ahead logging lets the API write while questions are answered.
        connection.executescript("PRAGMA journal_mode=WAL;" + SCHEMA_FILE.read_text())
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
    beside.replace(database)
