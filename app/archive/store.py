"""The bucket of one database at one site."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Protocol

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from app.archive.settings import MEBIBYTE, CollectorSettings

PART_BYTES = 32 * MEBIBYTE
"""Of a base backup; a part is held in memory, and there may be 10,000 of them (312 GiB)."""
CONNECT_SECONDS, READ_SECONDS = 5, 30


class Readable(Protocol):
    """What can be read from its beginning to its end."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes; none at the end."""


class StoreAwayError(Exception):
    """The archive did not take or tell what it was asked for."""


class Store:
    """Writes, reads and lists; it may delete nothing, and neither may its account.

    Args:
        settings: address, bucket and account.
    """

    def __init__(self, settings: CollectorSettings) -> None:
        self._bucket = settings.bucket
        # One thread per upload: the default of ten would hold ten parts in memory.
        self._transfer = TransferConfig(
            multipart_chunksize=PART_BYTES, multipart_threshold=PART_BYTES, use_threads=False
        )
        self._client: Any = boto3.session.Session().client(
            "s3",
            endpoint_url=settings.store_url,
            aws_access_key_id=settings.bucket,
            aws_secret_access_key=settings.secret,
            region_name="us-east-1",
            verify=settings.authority_file or True,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"total_max_attempts": 2},
                s3={"addressing_style": "path"},
                proxies={},
            ),
        )

    def put_file(self, key: str, file: Path) -> None:
        """Send a file.

        Raises:
            StoreAwayError: it was not taken.
        """
        with file.open("rb") as content:
            self._put(key, content)

    def put_facts(self, key: str, facts: dict[str, Any]) -> None:
        """Send a JSON document.

        Raises:
            StoreAwayError: it was not taken.
        """
        self._put(key, json.dumps(facts, indent=1).encode())

    def put_stream(self, key: str, content: Readable) -> None:
        """Send what a program writes, of any length.

        Raises:
            StoreAwayError: it was not taken.
        """
        try:
            self._client.upload_fileobj(content, self._bucket, key, Config=self._transfer)
        except (BotoCoreError, ClientError, Boto3Error, OSError) as error:
            raise StoreAwayError(f"{key}: {error}") from error

    def facts(self, key: str) -> dict[str, Any]:
        """Return a JSON document.

        Raises:
            StoreAwayError: it is not there, or no document.
        """
        try:
            found = json.loads(self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read())
        except (BotoCoreError, ClientError, OSError, ValueError) as error:
            raise StoreAwayError(f"{key}: {error}") from error
        return dict(found)

    def keys(self, prefix: str, after: str = "") -> Iterator[str]:
        """Yield the keys below a prefix in their order, those after `after` only.

        Raises:
            StoreAwayError: it does not tell.
        """
        try:
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix, StartAfter=after):
                yield from (each["Key"] for each in page.get("Contents", ()))
        except (BotoCoreError, ClientError, OSError) as error:
            raise StoreAwayError(f"list of {prefix}: {error}") from error

    def _put(self, key: str, content: IO[bytes] | bytes) -> None:
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=content)
        except (BotoCoreError, ClientError, OSError) as error:
            raise StoreAwayError(f"{key}: {error}") from error
