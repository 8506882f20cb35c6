"""Groups of an experiment: the same for a visitor always, as large as planned, and others in another experiment."""

from __future__ import annotations

import json
from collections import Counter
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.recommendations.groups import Experiment, experiments_of

pytestmark = pytest.mark.requirement("a visitor is in the same group of an experiment at each visit and at each site")

HALVES = {"with": 50, "without": 50}
ROW = Experiment("row", HALVES)


def test_groups_are_those_that_are_written_down() -> None:
    """By hand: sha256sum of the name and of the id; the first 8 bytes are at 90, 75, 62, 13, 72 and 34 percent."""
    groups = [ROW.group_of(UUID(int=number)) for number in range(1, 7)]
    assert groups == ["without", "without", "without", "with", "without", "with"]
    fine = Experiment("row", {"a": 13, "b": 1, "c": 86})
    assert [fine.group_of(UUID(int=number)) for number in (4, 6)] == ["b", "c"]
    assert Experiment("row", {"a": 14, "b": 86}).group_of(UUID(int=4)) == "a"


def test_the_order_of_the_settings_decides_nothing() -> None:
    turned = Experiment("row", dict(reversed(HALVES.items())))
    assert all(ROW.group_of(UUID(int=number)) == turned.group_of(UUID(int=number)) for number in range(200))


def test_groups_are_as_large_as_their_shares() -> None:
    sizes = Counter(Experiment("pictures", {"a": 10, "b": 30, "c": 60}).group_of(UUID(int=n)) for n in range(10_000))
    assert abs(sizes["a"] - 1000) < 120
    assert abs(sizes["b"] - 3000) < 180
    assert abs(sizes["c"] - 6000) < 200


def test_two_experiments_share_no_groups() -> None:
    other = Experiment("price", HALVES)
    both = Counter((ROW.group_of(UUID(int=n)), other.group_of(UUID(int=n))) for n in range(10_000))
    assert len(both) == 4
    assert all(abs(count - 2500) < 180 for count in both.values())


@given(visitor=st.uuids(), percent=st.integers(0, 99))
def test_who_was_in_the_first_group_stays_when_its_share_grows(visitor: UUID, percent: int) -> None:
    before = Experiment("row", {"a": percent, "b": 100 - percent}).group_of(visitor)
    after = Experiment("row", {"a": percent + 1, "b": 99 - percent}).group_of(visitor)
    assert before in {"b", after}


@given(visitor=st.uuids())
def test_a_share_of_nothing_has_nobody_and_of_everything_everybody(visitor: UUID) -> None:
    assert Experiment("row", {"a": 0, "b": 100, "c": 0}).group_of(visitor) == "b"


def test_settings_name_experiments_and_shares() -> None:
    read = experiments_of('{"row": {"with": 90, "without": 10}, "row-2": {"all": 100}}')
    assert {name: (each.name, dict(each.shares)) for name, each in read.items()} == {
        "row": ("row", {"with": 90, "without": 10}),
        "row-2": ("row-2", {"all": 100}),
    }
    assert experiments_of("") == experiments_of("{}") == {}


@pytest.mark.parametrize(
    ("name", "shares"),
    [("row", {}), ("row", {"a": 99}), ("row", {"a": 101, "b": -1}), ("Row", HALVES), ("row\n", HALVES),
     ("row", {"a\n": 100}), ("row", dict.fromkeys(map(chr, range(97, 108)), 10))],
)  # fmt: skip
def test_an_experiment_that_leaves_visitors_without_a_group_cannot_be_made(name: str, shares: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Experiment(name, shares)


@pytest.mark.parametrize(
    "text",
    ["[]", "null", "{", "x", '{"row": 1}', '{"row": {}}', '{"row": {"a": 99}}', '{"row": {"a": 101}}',
     '{"row": {"a": -1, "b": 101}}', '{"row": {"a": 50.5, "b": 49.5}}', '{"row": {"a": true}}', '{"Row": {"a": 100}}',
     '{"row": {"": 100}}', '{"row": {"a b": 100}}', '{"row\\n": {"a": 100}}', '{"": {"a": 100}}', "[" * 9000,
     '{"row": {"a": 100000000000000000000000000}}', json.dumps({f"e{n}": {"a": 100} for n in range(11)}),
     json.dumps({"row": {f"g{n}": 10 if n < 10 else 0 for n in range(11)}}), json.dumps({"a" * 41: {"a": 100}})],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        experiments_of(text)
