"""A real archive on loopback: the gateway with TLS, one account and bucket of a site's database, and a collector."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import boto3
from free_port import free_port
from postgres_cluster import Cluster

from app.archive.collector import Collector
from app.archive.settings import CollectorSettings
from app.archive.store import Store
from lab.archive_accounts import ArchiveAccounts
from lab.tools import program
from shopsphere.foundation.certificates import KeyPair, issue, new_authority
from shopsphere.foundation.clock import wait_until

SECRET, OWNERS = "account-secret-of-a-test-0123456", "owner-secret-of-a-test-01234567"


class ArchivePlace:
    """One gateway, and a bucket `commerce-frankfurt` with the rights that the lab gives.

    Args:
        folder: of everything.
        within: what the gateway's command is run by, as where it has file systems of its own.
    """

    def __init__(self, folder: Path, within: tuple[str, ...] = ()) -> None:
        self.folder, self.within = folder, within
        self.port, admin_port = free_port(), free_port()
        self.authority = new_authority(folder / "ca", "test")
        served = issue(
            self.authority,
            KeyPair(folder / "tls.crt", folder / "tls.key"),
            common_name="archive",
            alternatives=("127.0.0.1",),
        )
        for name in ("store", "versions", "accounts"):
            (folder / name).mkdir()
        self._command = [
            str(program("versitygw")), "--access=owner", f"--port=127.0.0.1:{self.port}",
            f"--cert={served.certificate}", f"--key={served.key}", f"--admin-port=127.0.0.1:{admin_port}",
            f"--admin-cert={served.certificate}", f"--admin-cert-key={served.key}", f"--iam-dir={folder / 'accounts'}",
            "--quiet", "posix", f"--versioning-dir={folder / 'versions'}", str(folder / "store"),
        ]  # fmt: skip
        self._gateway: subprocess.Popen[bytes] | None = None
        self.start()
        self.url = f"https://127.0.0.1:{self.port}"
        self.accounts = ArchiveAccounts(
            self.url, f"https://127.0.0.1:{admin_port}", self.authority.certificate, "owner", OWNERS
        )
        self.bucket = "commerce-frankfurt"
        wait_until(lambda: self.accounts.answers(), what="the gateway", seconds=90)
        self.accounts.ensure_account(self.bucket, SECRET)
        self.accounts.ensure_bucket(self.bucket, readers=())
        self.key = folder / "restorers.key"
        told = subprocess.run(["age-keygen", "-o", self.key], capture_output=True, text=True, check=True)
        self.recipient = told.stderr.split()[-1]

    def start(self) -> None:
        kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        command = [*self.within, *self._command]
        self._gateway = subprocess.Popen(command, env={**kept, "ROOT_SECRET_ACCESS_KEY": OWNERS})

    def stop(self) -> None:
        if self._gateway:
            self._gateway.kill()
            self._gateway.wait()

    @property
    def owner(self) -> Any:
        return boto3.session.Session().client(
            "s3", endpoint_url=self.url, aws_access_key_id="owner", aws_secret_access_key=OWNERS,
            region_name="us-east-1", verify=str(self.authority.certificate),
        )  # fmt: skip

    def keys(self) -> list[str]:
        return [each["Key"] for each in self.owner.list_objects_v2(Bucket=self.bucket).get("Contents", ())]

    def names(self, ending: str) -> list[str]:
        return [key.rpartition("/")[2].removesuffix(ending) for key in self.keys() if key.endswith(ending)]

    def facts(self) -> list[dict[str, Any]]:
        found = [key for key in self.keys() if "/base/" in key and key.endswith(".json")]
        return [json.loads(self.owner.get_object(Bucket=self.bucket, Key=key)["Body"].read()) for key in found]

    def opened(self, key: str) -> bytes:
        """Return what is in an object, as a person with the key and Debian's tools would."""
        sealed = self.owner.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        plain = subprocess.run(["age", "-d", "-i", self.key], input=sealed, capture_output=True, check=True).stdout
        return subprocess.run(["gunzip"], input=plain, capture_output=True, check=True).stdout

    def settings(self, database: Cluster, spool: str) -> CollectorSettings:
        read = CollectorSettings.read(
            {
                "ARCHIVE_DATABASE": "commerce",
                "ARCHIVE_HOST": "127.0.0.1",
                "ARCHIVE_PORT": str(database.port),
                "ARCHIVE_URL": self.url,
                "ARCHIVE_BUCKET": self.bucket,
                "ARCHIVE_SECRET": SECRET,
                "ARCHIVE_RECIPIENT": self.recipient,
                "ARCHIVE_AUTHORITY": self.authority.certificate.read_text(),
                "SHOP_SITE": "frankfurt",
            }
        )
        return replace(read, spool=self.folder / spool, client_files=self.folder / f"{spool}-files", partial_seconds=1)

    @contextmanager
    def collecting(self, settings: CollectorSettings) -> Iterator[Collector]:
        settings.prepare()
        ended = Event()
        collector = Collector(settings, Store(settings))
        running = Thread(target=collector.run, args=(ended.is_set,))
        running.start()
        try:
            yield collector
        finally:
            ended.set()
            running.join()


def soon(what: str, holds: Callable[[], bool], seconds: float = 120) -> None:
    wait_until(holds, what=what, seconds=seconds, interval=0.2)
