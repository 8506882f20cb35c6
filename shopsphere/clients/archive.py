"""One bucket of an archive, read with an operator's account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

from shopsphere.estate.archive_keys import AUTHORITY_FILE
from shopsphere.foundation.errors import NoAnswerError
from shopsphere.topology import ARCHIVE_PORT, Archive

CONNECT_SECONDS, READ_SECONDS = 3, 30
LARGEST_DOCUMENT = 4 * 2**20
"""A JSON document is a few thousand bytes; what is larger is none (bytes)."""


class ArchiveError(NoAnswerError):
    """The archive does not answer, or refuses, or does not have what was asked for."""


@dataclass(frozen=True)
class ArchiveAccess:
    """The way to an archive.

    Attributes:
        url: its address.
        account: that reads and lists.
        secret: of the account.
        authority: file with the authority that the archive is trusted by; None for the system's.
    """

    url: str
    account: str
    secret: str = field(repr=False)
    authority: Path | None

    @classmethod
    def of(cls, archive: Archive, account: str, secret: Path) -> ArchiveAccess:
        """Return the way to an archive, with the authority's certificate if that is beside the secret.

        Args:
            archive: which.
            account: that is used.
            secret: file with the secret of it.

        Raises:
            OSError: it cannot be read.
        """
        authority = secret.with_name(AUTHORITY_FILE)
        url = f"https://{archive.address}:{ARCHIVE_PORT}"
        return cls(url, account, secret.read_text().strip(), authority if authority.exists() else None)


@dataclass(frozen=True)
class Kept:
    """An object.

    Attributes:
        key: its name.
        size: in bytes.
        written: when it was taken.
    """

    key: str
    size: int
    written: datetime


class Bucket:
    """Lists and reads.

    Args:
        access: the way to the archive.
        name: of the bucket.
    """

    def __init__(self, access: ArchiveAccess, name: str) -> None:
        self.name = name
        self._access = access

    def listed(self, prefix: str, after: str = "") -> Iterator[Kept]:
        """Yield what is below a prefix, in the order of keys.

        Raises:
            ArchiveError: the archive does not tell.
        """
        pages = self._asked("list_objects_v2")
        try:
            for page in pages.paginate(Bucket=self.name, Prefix=prefix, StartAfter=after):
                for each in page.get("Contents", ()):
                    yield Kept(each["Key"], each["Size"], each["LastModified"])
        except self._failures() as error:
            raise self._error(f"a list of {prefix or 'everything'}", error) from error

    def systems(self) -> list[str]:
        """Return the system identifiers that the bucket has something of.

        Raises:
            ArchiveError: the archive does not tell.
        """
        try:
            answer = self._client.list_objects_v2(Bucket=self.name, Delimiter="/")
        except self._failures() as error:
            raise self._error("a list", error) from error
        return [each["Prefix"].rstrip("/") for each in answer.get("CommonPrefixes", ())]

    def facts(self, key: str) -> dict[str, Any]:
        """Return a JSON document.

        Raises:
            ArchiveError: it is not there, or none.
        """
        try:
            found = self._client.get_object(Bucket=self.name, Key=key)["Body"].read(LARGEST_DOCUMENT + 1)
        except self._failures() as error:
            raise self._error(key, error) from error
        try:
            return document_in(found)
        except ValueError as error:
            raise self._error(key, error) from error

    def fetch(self, key: str, target: Path) -> None:
        """Write an object into a file.

        Raises:
            ArchiveError: it is not there, or broke off.
        """
        try:
            self._client.download_file(self.name, key, str(target))
        except self._failures() as error:
            raise self._error(key, error) from error

    @property
    def _client(self) -> Any:
        return client_of(self._access)

    def _asked(self, operation: str) -> Any:
        return self._client.get_paginator(operation)

    @staticmethod
    def _failures() -> tuple[type[Exception], ...]:
        from boto3.exceptions import Boto3Error  # noqa: PLC0415 - see above
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - see above

        return (BotoCoreError, ClientError, Boto3Error, OSError)

    def _error(self, what: str, error: Exception) -> ArchiveError:
        return ArchiveError(f"the archive at {self._access.url} did not give {what} of {self.name}: {error}")


def document_in(content: bytes) -> dict[str, Any]:
    """Return a JSON document.

    Raises:
        ValueError: it is none.
    """
    if len(content) > LARGEST_DOCUMENT:
        raise ValueError(f"larger than {LARGEST_DOCUMENT} bytes")
    try:
        found = json.loads(content)
    except RecursionError as error:
        raise ValueError("too deep") from error
    if not isinstance(found, dict):
        raise ValueError(f"a {type(found).__name__} and no document")  # noqa: TRY004 - as any other that is none
    return found


_MAKING = Lock()
_CLIENTS: dict[ArchiveAccess, Any] = {}


def client_of(access: ArchiveAccess) -> Any:
    """Return the one client of an archive; making one takes 0.2 s, and it may be used by several threads."""
    with _MAKING:
        if access not in _CLIENTS:
            # 0.3 s, which only what reads an archive waits for.
            import boto3  # noqa: PLC0415
            from botocore.config import Config  # noqa: PLC0415

            _CLIENTS[access] = boto3.session.Session().client(
                "s3",
                endpoint_url=access.url,
                aws_access_key_id=access.account,
                aws_secret_access_key=access.secret,
                region_name="us-east-1",
                verify=str(access.authority) if access.authority else True,
                config=Config(
                    connect_timeout=CONNECT_SECONDS,
                    read_timeout=READ_SECONDS,
                    retries={"total_max_attempts": 2},
                    s3={"addressing_style": "path"},
                    proxies={},
                ),
            )
        return _CLIENTS[access]
