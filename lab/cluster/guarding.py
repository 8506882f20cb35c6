"""What an API server is told beside admission: secrets lie encrypted in its store, and each act is written down."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import yaml

from lab.paths import disk_directory, log_directory
from shopsphere.foundation.files import write_whole
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.topology import Site

POLICY = REPOSITORY / "docs" / "cluster" / "audit-policy.yaml"
"""What is written down; owners hand the same file to theirs."""
LOG = "kube-audit.log"
_LOG_MEGABYTES, _OLD_LOGS = 20, 5
_KEY_BYTES = 32


def arguments(site: Site) -> tuple[str, ...]:
    """Return what the API server of `site` is started with, after writing the files that it names."""
    return (
        f"--encryption-provider-config={_encryption(site)}",
        f"--audit-policy-file={POLICY}",
        f"--audit-log-path={log_directory(site.name) / LOG}",
        f"--audit-log-maxsize={_LOG_MEGABYTES}",
        f"--audit-log-maxbackup={_OLD_LOGS}",
        "--audit-log-mode=batch",  # an answer does not wait for the line about it
    )


def _encryption(site: Site) -> Path:
    """Write which key encrypts secrets in the store, once; what an older lab stored in clear can still be read."""
    file = disk_directory(site.name) / "pki" / "encryption.yaml"
    if not file.exists():
        key = {"name": "first", "secret": base64.b64encode(os.urandom(_KEY_BYTES)).decode()}
        providers = [{"secretbox": {"keys": [key]}}, {"identity": {}}]
        document = {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "EncryptionConfiguration",
            "resources": [{"resources": ["secrets"], "providers": providers}],
        }
        write_whole(file, yaml.safe_dump(document), mode=0o600)
    return file
