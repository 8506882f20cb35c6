"""Where Pulumi's things of this checkout and of the lab are."""

from __future__ import annotations

from pathlib import Path

from shopsphere.foundation.paths import cache_directory, lab_directory


def pulumi_home() -> Path:
    """Pulumi's plugins and credentials; in the cache, because the plugin is built once per machine."""
    return cache_directory() / "pulumi"


def pulumi_directory() -> Path:
    """The lab's Pulumi state, passphrases and stack files."""
    return lab_directory() / "pulumi"


def state_directory(jurisdiction: str) -> Path:
    """The lab's file backend of one jurisdiction."""
    return pulumi_directory() / "state" / jurisdiction


def passphrase_file(jurisdiction: str) -> Path:
    """The lab's passphrase of one jurisdiction."""
    return pulumi_directory() / "passphrases" / jurisdiction
