"""The simulated provider notes what it did wrong with the wrong itself, or neither: it may be killed at any moment."""

from pathlib import Path

import pytest

from app.psp.store import Store, Wanted

KEY = "order-0123456789abcdef"


class PowerLossError(Exception):
    """Ends the simulator in the middle of its work."""


def take_twice(store: Store, *, is_killed: bool) -> None:
    with store.at_once():
        store.double(store.charge(KEY, Wanted("EU-1", 500, "EUR", "tok_visa"), capture=True))
        store.note_played("doubled", KEY)
        if is_killed:
            raise PowerLossError


def test_a_wrong_and_its_note_are_one(tmp_path: Path) -> None:
    store, reader = (Store(tmp_path / "books.sqlite") for _ in range(2))
    with pytest.raises(PowerLossError):
        take_twice(store, is_killed=True)
    assert (reader.settlement("20")[0], reader.played()) == ([], [])
    take_twice(store, is_killed=False)
    assert [line["key"] for line in reader.settlement("20")[0]] == [KEY, KEY]
    assert reader.played() == [("doubled", KEY)]
