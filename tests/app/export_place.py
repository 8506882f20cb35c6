"""A region and headquarters, each with a server of PostgreSQL of its own, and the line between them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from export_databases import order, stock, upgrade
from free_port import free_port
from postgres_cluster import Cluster
from shop_processes import Process

from app.export.line import HeadquartersLine, trust
from shopsphere.foundation.certificates import KeyPair, issue, new_authority

T = TypeVar("T")
SECONDS = 60.0


def key(seed: int) -> Ed25519PrivateKey:
    """The key of `export_world.signer(seed)`."""
    return Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)


def private_pem(seed: int) -> bytes:
    return key(seed).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(seed: int) -> bytes:
    return key(seed).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@dataclass(frozen=True)
class Files:
    """Certificates and keys of the line: of headquarters, of regions, and of an authority that is none of it."""

    folder: Path
    authority: KeyPair
    other: KeyPair

    @classmethod
    def made_in(cls, folder: Path) -> Files:
        authority, other = new_authority(folder / "line", "the line"), new_authority(folder / "other", "another")
        keys = folder / "keys"
        keys.mkdir()
        (keys / "region-1.pem").write_bytes(public_pem(1))
        (keys / "region-2.pem").write_bytes(public_pem(2))
        (folder / "signing.pem").write_bytes(private_pem(1))
        return cls(folder, authority, other)

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def signing(self) -> Path:
        return self.folder / "signing.pem"

    @property
    def server(self) -> KeyPair:
        files = KeyPair(self.folder / "server.crt", self.folder / "server.key")
        return issue(self.authority, files, common_name="headquarters", alternatives=("127.0.0.1",))

    def client(self, name: str, authority: KeyPair | None = None) -> KeyPair:
        stem = f"{name}-{'line' if authority is None else authority.certificate.parent.name}"
        files = KeyPair(self.folder / f"{stem}.crt", self.folder / f"{stem}.key")
        return issue(authority or self.authority, files, common_name=name)


class Place:
    """Both sides.

    Attributes:
        region: its server, with `commerce`.
        reports: headquarters' server.
    """

    def __init__(self, folder: Path) -> None:
        self.files = Files.made_in(folder)
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.region, self.reports = Cluster(), Cluster()
        upgrade(self.region.dsn("commerce"), "commerce")
        stock(self.region.dsn("commerce"))
        for role in ("headquarters", "take_app", "report_app"):
            self.reports.admin(f"CREATE ROLE {role} LOGIN")
        self.reports.admin("CREATE DATABASE headquarters OWNER headquarters")
        upgrade(self.reports.dsn("headquarters"), "headquarters")

    def remove(self) -> None:
        self.region.remove()
        self.reports.remove()

    def empty(self) -> None:
        """Nothing was ordered, released or taken."""
        reset = "UPDATE export.numbering SET last_seq = 0, confirmed_seq = 0, confirmed_at = NULL"
        of_region = 'export.spending, export.cell, export.fact, export.release, orders.line, orders."order"'
        for cluster, name, statements in (
            (self.region, "commerce", (f"TRUNCATE {of_region}", reset)),
            (self.reports, "headquarters", ("TRUNCATE reporting.cell, reporting.release, reporting.region",)),
        ):
            administrator = f"postgresql://postgres@127.0.0.1:{cluster.port}/{name}"
            # As a replica no trigger stands in the way.
            with psycopg.connect(administrator, options="-c session_replication_role=replica") as connection:
                for statement in statements:
                    connection.execute(statement.encode())

    def of_headquarters(self, statement: str, *arguments: object) -> list[tuple[Any, ...]]:
        return self.reports.query("headquarters", statement, *arguments)

    def sell(self, day: date, people: range, goods: dict[int, int]) -> None:
        """One order of each of these people."""
        with psycopg.connect(self.region.dsn("commerce")) as connection:
            for person in people:
                order(connection, day, f"person-{person}@example.org", goods)

    def taken(self) -> list[tuple[Any, ...]]:
        """What headquarters has of region 1: number, kind and day of each release."""
        return self.of_headquarters("SELECT seq, kind::text, day FROM reporting.release WHERE region = 1 ORDER BY seq")

    def of_region(self, statement: str, *arguments: object) -> list[tuple[Any, ...]]:
        return self.region.query("commerce", statement, *arguments)

    def taking_variables(self) -> dict[str, str]:
        return {
            "HEADQUARTERS_DSN": self.reports.service_dsn("headquarters", "take_app"),
            "TAKE_PORT": str(self.port),
            "TAKE_AUTHORITY_FILE": str(self.files.authority.certificate),
            "TAKE_CERTIFICATE_FILE": str(self.files.server.certificate),
            "TAKE_KEY_FILE": str(self.files.server.key),
            "TAKE_KEYS": str(self.files.keys),
        }

    @contextmanager
    def headquarters(self) -> Iterator[Process]:
        """`shop take-releases` while the block runs."""
        running = Process("take-releases", self.taking_variables())
        try:
            yield running
        finally:
            running.stop()

    def exporter_variables(
        self, since: date, client: KeyPair | None = None, cluster: Cluster | None = None
    ) -> dict[str, str]:
        certificate = client or self.files.client("region-1")
        return {
            "COMMERCE_DSN": (cluster or self.region).service_dsn("commerce", "export_app"),
            "EXPORT_REGION": "1",
            "EXPORT_CURRENCIES": "EUR",
            "EXPORT_SINCE": since.isoformat(),
            "EXPORT_SECONDS": "0.2",
            "EXPORT_HEADQUARTERS": self.url,
            "EXPORT_AUTHORITY_FILE": str(self.files.authority.certificate),
            "EXPORT_CERTIFICATE_FILE": str(certificate.certificate),
            "EXPORT_KEY_FILE": str(certificate.key),
            "EXPORT_SIGNING_KEY_FILE": str(self.files.signing),
        }

    @contextmanager
    def exporter(self, since: date, client: KeyPair | None = None, cluster: Cluster | None = None) -> Iterator[Process]:
        """`shop export` while the block runs."""
        running = Process("export", self.exporter_variables(since, client, cluster))
        try:
            yield running
        finally:
            running.stop()

    def over_line(self, work: Callable[[HeadquartersLine], Awaitable[T]], client: KeyPair, region: int = 1) -> T:
        """Return what is made of the line as a region with this certificate has it."""

        async def run() -> T:
            context = trust(self.files.authority.certificate, client.certificate, client.key)
            line = HeadquartersLine(self.url, region, context, SECONDS)
            try:
                return await work(line)
            finally:
                await line.close()

        return asyncio.run(run())


def figure(running: Process, name: str) -> float | None:
    """What /metrics says under a name; None where it says nothing."""
    text = httpx.get(f"{running.url}/metrics", trust_env=False).text
    found = [line.rpartition(" ")[2] for line in text.splitlines() if line.startswith(f"{name} ")]
    return float(found[0]) if found else None
