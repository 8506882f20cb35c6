"""Certificates of a pair's databases end while a service and the other site are connected; they are renewed then."""

from __future__ import annotations

import os
import pwd
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from postgres_cluster import Cluster

from runbooks.rotation.renewal_run import ended
from shopsphere.estate.pair_secrets import AUTHORITY, CLOCK_TOLERANCE, LEAF_LIFETIME, generate_certificates
from shopsphere.estate.renewal import DATABASE_CERTIFICATES, bundle
from shopsphere.foundation.clock import wait_until
from shopsphere.topology import load_topology

TOPOLOGY = load_topology()
PAIR = TOPOLOGY.pair("rdc-a")
SECONDS = 12
"""For which the first certificates are good: the other site tries to follow each 5 s."""
HBA = """
hostssl replication streaming_replica 127.0.0.1/32 cert
hostssl all all 127.0.0.1/32 trust
local all all trust
hostnossl all postgres 127.0.0.1/32 trust
hostnossl replication postgres 127.0.0.1/32 trust
"""


def certificates(*, seconds: float = LEAF_LIFETIME.total_seconds()) -> dict[str, str]:
    """The pair's own, that end so many seconds from now."""
    begin = datetime.now(UTC) + timedelta(seconds=seconds) - LEAF_LIFETIME + CLOCK_TOLERANCE
    return generate_certificates(TOPOLOGY, PAIR, now=begin)


def bring(server: Cluster, made: Mapping[str, str], believed: str) -> None:
    """Put certificates where a server reads them, as CloudNativePG does, and let it load them; nothing is restarted."""
    files = {
        "server.crt": made["ledgerServerCertificate"], "server.key": made["ledgerServerKey"], "ca.crt": believed,
        "replica.crt": made["replicationCertificate"], "replica.key": made["replicationKey"],
    }  # fmt: skip
    user = pwd.getpwnam("postgres")
    for name, text in files.items():
        file = server.data_directory / name
        file.write_text(text)
        os.chown(file, user.pw_uid, user.pw_gid)
        file.chmod(0o600)
    server.admin("SELECT pg_reload_conf()")


def secured(server: Cluster, made: Mapping[str, str]) -> None:
    (server.data_directory / "pg_hba.conf").write_text(HBA)
    for name, value in {"ssl_cert_file": "server.crt", "ssl_key_file": "server.key", "ssl_ca_file": "ca.crt"}.items():
        server.admin(f"ALTER SYSTEM SET {name} = '{value}'")
    bring(server, made, made[AUTHORITY])
    server.admin("ALTER SYSTEM SET ssl = on")
    server.admin("SELECT pg_reload_conf()")


@contextmanager
def pair_of_servers() -> Iterator[tuple[Cluster, Cluster]]:
    """The active site's ledger, and that of the recovery site, which does not follow it yet as it does here."""
    leader = Cluster()
    try:
        leader.admin("CREATE ROLE streaming_replica LOGIN REPLICATION")
        follower = Cluster(leader)
        try:
            yield leader, follower
        finally:
            follower.remove()
    finally:
        leader.remove()


def follow(follower: Cluster, leader: Cluster) -> None:
    """Let the other site follow by the pair's certificates, as CloudNativePG does."""
    data = follower.data_directory
    way = (
        f"host=127.0.0.1 port={leader.port} user=streaming_replica sslmode=verify-ca "
        f"sslrootcert={data}/ca.crt sslcert={data}/replica.crt sslkey={data}/replica.key"
    )
    follower.admin(f"ALTER SYSTEM SET primary_conninfo = '{way}'")
    follower.admin("SELECT pg_reload_conf()")


def streams(leader: Cluster) -> bool:
    """Whether the other site follows, over TLS; the owner of a database is not shown that."""
    with psycopg.connect(f"postgresql://postgres@127.0.0.1:{leader.port}/postgres") as connection:
        asked = "SELECT 1 FROM pg_stat_replication JOIN pg_stat_ssl USING (pid) WHERE state = 'streaming' AND ssl"
        return connection.execute(asked).fetchone() is not None


@pytest.mark.requirement("databases whose certificates have ended are renewed without a restart")
def test_certificates_of_databases_end(tmp_path: Path) -> None:
    believed = tmp_path / "ca.crt"
    with pair_of_servers() as servers:
        leader, follower = servers
        begun, made = time.monotonic(), certificates(seconds=SECONDS)
        believed.write_text(made[AUTHORITY])
        for each in servers:
            secured(each, made)
        follow(follower, leader)
        way = f"{leader.service_dsn('ledger')}?sslmode=verify-ca&sslrootcert={believed}"
        wait_until(lambda: streams(leader), what="the other site to follow", seconds=SECONDS, interval=0.1)
        with psycopg.connect(way, autocommit=True) as service:
            time.sleep(max(0.0, SECONDS + 1.5 - (time.monotonic() - begun)))
            assert ended(DATABASE_CERTIFICATES, made)
            # Lines that are open go on: nobody notices.
            assert service.execute("SELECT 1").fetchone() == (1,)
            assert streams(leader)
            with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
                psycopg.connect(way)
        leader.admin("SELECT pg_terminate_backend(pid) FROM pg_stat_replication")
        time.sleep(6)  # it tries again each 5 s
        assert not streams(leader), "nor does the other site follow any more"

        new = certificates()
        both = bundle(made[AUTHORITY], new[AUTHORITY])  # what `rotate` gives both sites then, with what is new
        for each in servers:
            bring(each, new, both)
        believed.write_text(both)
        psycopg.connect(way).close()
        wait_until(lambda: streams(leader), what="the other site to follow again", seconds=60, interval=0.2)
