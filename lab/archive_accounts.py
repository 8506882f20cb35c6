"""Accounts and buckets of an archive: one of each per database and site, and one account that reads all."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import httpx

from lab.tools import program
from shopsphere.clients.archive import ArchiveAccess, ArchiveError, client_of
from shopsphere.foundation.process import CommandError, run
from shopsphere.foundation.trust import client_context

WRITES = ("s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")
LISTS = ("s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:GetBucketLocation")
READS = ("s3:GetObject",)
_SECONDS = 30.0
_WRONG_SECRET = frozenset({"SignatureDoesNotMatch", "InvalidAccessKeyId"})


class ArchiveAccounts:
    """Makes what is missing; what is there stays as it is, but an account whose secret is another one now gets that.

    Args:
        url: where the archive answers.
        administration_url: where it is managed.
        authority: certificate of the authority that it is trusted by.
        owner: name of its own account.
        secret: of that account.
    """

    def __init__(self, url: str, administration_url: str, authority: Path, owner: str, secret: str) -> None:
        self._url, self._administration_url, self._authority = url, administration_url, authority
        self._owner, self._secret = owner, secret

    def answers(self) -> bool:
        """Whether the place where it is managed answers."""
        try:
            self._names()
        except CommandError:
            return False
        return True

    def ensure_account(self, name: str, secret: str) -> bool:
        """Make an account that may do what bucket policies allow it, or give one that is there its secret.

        Returns:
            whether anything was changed.

        Raises:
            ArchiveError: the archive refuses, or does not answer.
        """
        if name not in self._names():
            self._tell("create-user", {}, "Account", {"Access": name, "Secret": secret, "Role": "user"})
            return True
        if self._is_secret_of(name, secret):
            return False
        self._tell("update-user", {"access": name}, "MutableProps", {"Secret": secret})
        return True

    def ensure_bucket(self, name: str, *, readers: Iterable[str]) -> None:
        """Make a bucket with versioning; the account of its name writes, reads and lists it and deletes nothing.

        Args:
            name: of the bucket, and of the account that writes.
            readers: accounts that read and list it.
        """
        client = client_of(ArchiveAccess(self._url, self._owner, self._secret, self._authority))
        if name not in {each["Name"] for each in client.list_buckets()["Buckets"]}:
            client.create_bucket(Bucket=name)
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        client.put_bucket_policy(Bucket=name, Policy=json.dumps(bucket_policy(name, readers)))

    def _is_secret_of(self, name: str, secret: str) -> bool:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as in shopsphere.clients.archive

        try:
            client_of(ArchiveAccess(self._url, name, secret, self._authority)).list_buckets()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _WRONG_SECRET:
                return False
            raise ArchiveError(f"the archive at {self._url} does not let {name} in: {error}") from error
        except BotoCoreError as error:
            raise ArchiveError(f"the archive at {self._url} does not answer {name}: {error}") from error
        return True

    def _tell(self, what: str, query: Mapping[str, str], kind: str, fields: Mapping[str, str]) -> None:
        """Ask where accounts are managed, in the body of a signed request: arguments are seen by every process."""
        from botocore.auth import SigV4Auth  # noqa: PLC0415 - as in shopsphere.clients.archive
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415
        from botocore.credentials import Credentials  # noqa: PLC0415

        document = ET.Element(kind)
        for field, value in fields.items():
            ET.SubElement(document, field).text = value
        body = ET.tostring(document)
        digest = {"X-Amz-Content-Sha256": hashlib.sha256(body).hexdigest()}
        url = f"{self._administration_url}/{what}" + (f"?{urlencode(query)}" if query else "")
        asked = AWSRequest("PATCH", url, headers=digest, data=body)
        SigV4Auth(Credentials(self._owner, self._secret), "s3", "us-east-1").add_auth(asked)
        trust = client_context(self._authority)
        try:
            answer = httpx.patch(
                url, content=body, headers=dict(asked.headers), verify=trust, trust_env=False, timeout=_SECONDS
            )
        except httpx.HTTPError as error:
            raise ArchiveError(f"{self._administration_url} does not answer: {type(error).__name__}") from error
        if not answer.is_success:
            raise ArchiveError(f"{self._administration_url} refused {what}: {answer.status_code} {answer.text[:300]}")

    def _names(self) -> set[str]:
        listed = self._manage("list-users")
        return {line.split()[0] for line in listed.splitlines() if line.strip()}

    def _manage(self, *words: str) -> str:
        # Through the environment: arguments are seen by every process.
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "SSL_CERT_FILE": str(self._authority),
            "ADMIN_ACCESS_KEY": self._owner,
            "ADMIN_SECRET_KEY": self._secret,
            "ADMIN_ENDPOINT_URL": self._administration_url,
        }
        return run([program("versitygw"), "admin", *words], env=environment, seconds=30).stdout


def bucket_policy(name: str, readers: Iterable[str]) -> dict[str, Any]:
    """Return who may do what in a bucket; nobody may delete, and nobody may change the policy."""
    objects, bucket = f"arn:aws:s3:::{name}/*", f"arn:aws:s3:::{name}"
    rights = [([name], WRITES, objects), ([name], LISTS, bucket)]
    readers = list(readers)
    if readers:
        rights += [(readers, READS, objects), (readers, LISTS, bucket)]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": who}, "Action": list(actions), "Resource": [resource]}
            for who, actions, resource in rights
        ],
    }
