"""Settings of the collector, read once from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from app.errors import SettingsError

REPLICATION_USER = "streaming_replica"
CLIENT_FILES = Path("/tmp/archive")  # noqa: S108 an emptyDir of this pod alone
SPOOL = Path("/var/spool/archive")
MEBIBYTE = 2**20
NOTICED = "keepalives=1 keepalives_idle=10 keepalives_interval=5 keepalives_count=3 tcp_user_timeout=30000"
"""A database whose machine is gone without a word is noticed within half a minute: `pg_receivewal` would wait on."""


@dataclass(frozen=True, slots=True)
class CollectorSettings:
    """What the collector has to know.

    Attributes:
        database: name of the database.
        site: that it stands at.
        connection: libpq's settings of a connection to it, without certificates.
        authority: file with the authority that its server is trusted by; empty for none.
        certificate: the replication user's certificate (PEM); empty where the server wants none.
        key: its private key (PEM).
        store_url: address of the archive.
        store_authority: certificate of the authority that the archive is trusted by (PEM); empty for the system's.
        bucket: its bucket, and the name of the account.
        secret: the account's secret.
        recipient: age's public key of the restorers.
        spool: folder for what waits.
        most_bytes: that may wait in it.
        port: where it answers probes.
        partial_seconds: between two looks at the segment that is not full (s).
        base_seconds: between two base backups (s).
        base_rate: most kilobytes a second that a base backup reads, as pg_basebackup takes it.
    """

    database: str
    site: str
    connection: str
    authority: str
    certificate: str
    key: str = field(repr=False)
    store_url: str
    store_authority: str
    bucket: str
    secret: str = field(repr=False)
    recipient: str
    spool: Path = SPOOL
    most_bytes: int = 1536 * MEBIBYTE
    port: int = 8000
    partial_seconds: float = 10
    base_seconds: float = 86_400
    base_rate: str = "64M"
    client_files: Path = CLIENT_FILES

    @classmethod
    def read(cls, variables: Mapping[str, str] | None = None) -> CollectorSettings:
        """Read and check the environment.

        Raises:
            SettingsError: lists everything that is missing or wrong.
        """
        given = os.environ if variables is None else variables
        wanted = ("DATABASE", "HOST", "URL", "BUCKET", "SECRET", "RECIPIENT")
        problems = [
            f"ARCHIVE_{name}: expected a value, found none" for name in wanted if not given.get(f"ARCHIVE_{name}")
        ]
        recipient, url = given.get("ARCHIVE_RECIPIENT", ""), given.get("ARCHIVE_URL", "")
        if recipient and not recipient.startswith("age1"):
            problems.append(f"ARCHIVE_RECIPIENT: expected a public key of age (age1…), found {recipient[:8]!r}")
        if url and urlsplit(url).scheme != "https":
            problems.append(f"ARCHIVE_URL: expected an https:// address, found {url!r}")
        most = given.get("ARCHIVE_MOST_MIB", "1536")
        if not most.isdecimal() or int(most) < 64:  # noqa: PLR2004 four segments
            problems.append(f"ARCHIVE_MOST_MIB: expected a whole number of 64 or more, found {most!r}")
        if problems:
            lines = "\n  ".join(problems)
            raise SettingsError(f"the environment is not usable:\n  {lines}\n  do: set these variables and start again")
        return cls(
            database=given["ARCHIVE_DATABASE"],
            site=given.get("SHOP_SITE", "development"),
            connection=f"host={given['ARCHIVE_HOST']} port={given.get('ARCHIVE_PORT', '5432')} user={REPLICATION_USER}",
            authority=given.get("ARCHIVE_DATABASE_AUTHORITY_FILE", ""),
            certificate=given.get("ARCHIVE_REPLICATION_CERTIFICATE", ""),
            key=given.get("ARCHIVE_REPLICATION_KEY", ""),
            store_url=url.rstrip("/"),
            store_authority=given.get("ARCHIVE_AUTHORITY", ""),
            bucket=given["ARCHIVE_BUCKET"],
            secret=given["ARCHIVE_SECRET"],
            recipient=recipient,
            most_bytes=int(most) * MEBIBYTE,
        )

    def prepare(self) -> None:
        """Make the folders, and the files that programs want keys and certificates in."""
        for folder in (self.client_files, self.spool / "wal", self.spool / "out"):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        written = {
            "replication.crt": self.certificate,
            "replication.key": self.key,
            "store-ca.crt": self.store_authority,
        }
        for name, text in written.items():
            if text:
                file = self.client_files / name
                file.touch(mode=0o600)
                file.write_text(text)

    @property
    def dsn(self) -> str:
        """Settings of a replication connection; the server has to prove who it is where an authority is given."""
        parts = [self.connection, "connect_timeout=5", NOTICED]
        if self.authority:
            parts += ["sslmode=verify-full", f"sslrootcert={self.authority}"]
        if self.certificate:
            folder = self.client_files
            parts += [f"sslcert={folder / 'replication.crt'}", f"sslkey={folder / 'replication.key'}"]
        return " ".join(parts)

    @property
    def authority_file(self) -> str | None:
        """File with the authority of the archive; None for the system's."""
        return str(self.client_files / "store-ca.crt") if self.store_authority else None
