"""One bucket of an archive in its owner's hands: every version of its objects, removed one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shopsphere.clients.archive import LARGEST_DOCUMENT, ArchiveError, Bucket, document_in

MOST_AT_ONCE = 1000
"""Versions that one request may remove."""


@dataclass(frozen=True)
class Version:
    """One version of an object.

    Attributes:
        key: the object's name.
        version: its number, as the archive counts them.
        size: in bytes.
        written: when it was taken, by the archive's clock.
        is_newest: whether it is what a reader gets.
        is_mark: whether it only says that the object is gone.
    """

    key: str
    version: str
    size: int
    written: datetime
    is_newest: bool = True
    is_mark: bool = False


@dataclass(frozen=True)
class Upload:
    """What is on its way into an object, or broke off.

    Attributes:
        key: the object's name.
        number: of the upload.
        begun: when, by the archive's clock.
    """

    key: str
    number: str
    begun: datetime


class OwnedBucket(Bucket):
    """Lists and reads versions, removes them for good, and writes documents."""

    def versions(self, prefix: str) -> Iterator[Version]:
        """Yield every version below a prefix: by key, and the newest of each first.

        Raises:
            ArchiveError: the archive does not tell.
        """
        try:
            for page in self._asked("list_object_versions").paginate(Bucket=self.name, Prefix=prefix):
                found = [_version(each, is_mark=False) for each in page.get("Versions", ())]
                found += [_version(each, is_mark=True) for each in page.get("DeleteMarkers", ())]
                yield from sorted(found, key=lambda each: (each.key, not each.is_newest, -each.written.timestamp()))
        except self._failures() as error:
            raise self._error(f"a list of the versions of {prefix or 'everything'}", error) from error

    def facts_of(self, version: Version) -> dict[str, Any]:
        """Return one version of a JSON document.

        Raises:
            ArchiveError: it is not there; its cause is a ValueError where it is no document.
        """
        try:
            body = self._client.get_object(Bucket=self.name, Key=version.key, VersionId=version.version)["Body"]
            told = body.read(LARGEST_DOCUMENT + 1)
        except self._failures() as error:
            raise self._error(version.key, error) from error
        try:
            return document_in(told)
        except ValueError as error:
            raise self._error(version.key, error) from error

    def remove(self, versions: Sequence[Version]) -> None:
        """Remove versions for good, at most MOST_AT_ONCE of them; one that is gone already is no error.

        Raises:
            ArchiveError: the archive refused one, or does not answer.
        """
        if not versions:
            return
        wanted = [{"Key": each.key, "VersionId": each.version} for each in versions]
        try:
            answer = self._client.delete_objects(Bucket=self.name, Delete={"Objects": wanted, "Quiet": True})
        except self._failures() as error:
            raise self._error(f"way for the removal of {wanted[0]['Key']}", error) from error
        refused = answer.get("Errors", ())
        if refused:
            first = refused[0]
            raise ArchiveError(f"{self.name}: {first.get('Key')} was not removed: {first.get('Message')}")

    def uploads(self) -> list[Upload]:
        """Return what is on its way, or broke off and takes room.

        Raises:
            ArchiveError: the archive does not tell.
        """
        try:
            pages = self._asked("list_multipart_uploads").paginate(Bucket=self.name)
            found = [each for page in pages for each in page.get("Uploads", ())]
        except self._failures() as error:
            raise self._error("a list of uploads", error) from error
        return [Upload(each["Key"], each["UploadId"], each["Initiated"]) for each in found]

    def end_upload(self, upload: Upload) -> None:
        """Remove what came of an upload.

        Raises:
            ArchiveError: the archive refused, or does not answer.
        """
        try:
            self._client.abort_multipart_upload(Bucket=self.name, Key=upload.key, UploadId=upload.number)
        except self._failures() as error:
            raise self._error(f"way to end the upload of {upload.key}", error) from error

    def put_facts(self, key: str, facts: Mapping[str, Any]) -> None:
        """Write a JSON document.

        Raises:
            ArchiveError: it was not taken.
        """
        try:
            self._client.put_object(Bucket=self.name, Key=key, Body=json.dumps(facts, indent=1).encode())
        except self._failures() as error:
            raise self._error(f"room for {key}", error) from error


def _version(told: Mapping[str, Any], *, is_mark: bool) -> Version:
    return Version(
        told["Key"],
        told["VersionId"],
        int(told.get("Size") or 0),
        told["LastModified"],
        is_newest=bool(told.get("IsLatest")),
        is_mark=is_mark,
    )
