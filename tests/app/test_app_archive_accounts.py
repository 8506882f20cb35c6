"""The accounts of an archive, as the lab makes them at a real gateway."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from archive_place import ArchivePlace

from lab import archive_accounts
from shopsphere.foundation import process


@pytest.mark.requirement("an account's secret is no argument of a process, and counts from when it is another one")
def test_an_account_gets_its_new_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words: list[str] = []

    def run(command: Sequence[str | Path], **more: Any) -> Any:
        words.extend(map(str, command))
        return process.run(command, **more)

    monkeypatch.setattr(archive_accounts, "run", run)
    place = ArchivePlace(tmp_path)
    first, other = "first-secret-of-a-test-0123456789", "other-secret-of-a-test-<&>'\"-012"
    try:
        assert place.accounts.ensure_account("reader", first)
        assert not place.accounts.ensure_account("reader", first)
        assert place.accounts.ensure_account("reader", other)
        assert not place.accounts.ensure_account("reader", other)
        assert place.accounts.ensure_account("reader", first), "the former one is wrong again"
    finally:
        place.stop()
    assert "list-users" in words
    assert not {first, other} & set(words)
