"""The checkers of the safety bench: each finds what it is there for."""

import sys
import uuid
from itertools import combinations, pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopsphere.foundation.paths import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "bench" / "safety"))
import checks

ORDER = str(uuid.uuid4())
KEY = f"order-{uuid.UUID(ORDER).hex}"


@pytest.mark.parametrize(
    ("said_paid", "ledger", "found"),
    [
        (True, [KEY], []),
        (True, [], [f"payment lost: {KEY}"]),
        (False, [], []),
        (True, [KEY, KEY], [f"payment doubled: {KEY}"]),
        (False, [KEY, KEY], [f"payment doubled: {KEY}"]),
    ],
)
def test_payments(said_paid: bool, ledger: list[str], found: list[str]) -> None:
    assert checks.lost_or_doubled([{"order": ORDER, "paid": said_paid}], ledger) == found


@pytest.mark.parametrize(
    ("sites", "epochs", "good"),
    [
        ("aaa", 0, True),
        ("aabb", 1, True),
        ("aaba", 1, False),
        ("ab", 0, False),
        ("aabbaa", 2, True),
        ("bb", 0, False),
        ("bb", 1, True),
        ("ba", 1, False),
        ("ababab", 2, False),
        ("", 0, True),
    ],
)
def test_two_sites_in_one_epoch(sites: str, epochs: int, good: bool) -> None:
    writes = [(at, at + 0.5, site) for at, site in enumerate(sites)]
    assert (checks.two_writers(writes, "a", epochs) == []) is good


@pytest.mark.parametrize(
    ("writes", "good"),
    [
        pytest.param([(1.7, 7.8, "a"), (5.2, 5.4, "b"), (9.0, 9.1, "b")], True, id="sent before, answered after"),
        pytest.param([(6.7, 7.8, "a"), (5.2, 5.4, "b"), (9.0, 9.1, "b")], False, id="sent when the other took writes"),
        pytest.param([(1.7, 7.8, "a"), (5.2, 5.4, "b"), (6.0, 6.1, "a"), (9.0, 9.1, "b")], False, id="and once more"),
        pytest.param([(1.0, 9.0, "a"), (1.0, 9.0, "b"), (1.0, 9.0, "a")], True, id="all at once: any order"),
        pytest.param([(5.2, 5.3, "b"), (5.4, 7.8, "a"), (7.9, 8.0, "b")], False, id="between two of the other"),
        pytest.param([(5.2, 5.3, "b"), (5.4, 7.8, "a")], False, id="the one that was to be first comes last"),
    ],
)
def test_a_late_answer_is_no_second_writer(writes: list[tuple[float, float, str]], good: bool) -> None:
    assert (checks.two_writers(writes, "a", 1) == []) is good


MOMENTS = st.tuples(st.floats(0, 9.9), st.floats(0, 3), st.floats(0, 3))


@given(st.lists(MOMENTS, max_size=12), st.integers(0, 4))
def test_writers_that_took_turns_are_never_accused(moments: list[tuple[float, ...]], changes: int) -> None:
    "whatever the delays: a write was taken at its moment by the site whose turn it was"
    length = 10 / (changes + 1)
    writes = [(at - way, at + back, "ab"[int(at // length) % 2]) for at, way, back in moments]
    assert checks.two_writers(writes, "a", changes) == []


@given(st.lists(st.tuples(st.floats(0, 9), st.floats(0, 4), st.sampled_from("ab")), max_size=6))
def test_the_fewest_changes_are_those_of_the_best_order(spans: list[tuple[float, float, str]]) -> None:
    "compared with every order of the writes that their times allow"
    writes = [(sent, sent + takes, site) for sent, takes, site in spans]
    possible = (
        order for order in permutations(writes) if all(a[0] <= b[1] for a, b in combinations(order, 2))
    )  # fmt: skip
    first = (0, 0, "a")
    fewest = min(sum(a[2] != b[2] for a, b in pairwise([first, *order])) for order in possible)
    assert checks.two_writers(writes, "a", fewest) == []
    assert not fewest or checks.two_writers(writes, "a", fewest - 1)


@pytest.mark.parametrize(
    ("before", "after", "epochs", "good"), [(3, 3, 0, True), (3, 4, 1, True), (3, 3, 1, False), (4, 3, 0, False)]
)
def test_timelines(before: int, after: int, epochs: int, good: bool) -> None:
    assert (checks.timeline(before, after, epochs) == []) is good


def test_what_is_left_over() -> None:
    assert checks.uneven(0, {"orders": 0, "payments": 0}) == []
    assert len(checks.uneven(5, {"orders": 1, "payments": 0})) == 2
    assert checks.unrecorded(["a", "b"], ["b", "c", "a"]) == []
    assert checks.unrecorded(["a", "b"], ["b"]) == ["charged, and not in the ledger: a"]
    assert checks.names({"ns1": (2, "dublin"), "ns2": (2, "dublin")}, 2, "dublin") == []
    assert len(checks.names({"ns1": (1, "frankfurt"), "ns2": (2, "dublin")}, 2, "dublin")) == 1
    assert checks.lost_orders([{"order": "1"}, {"order": "2"}], {"1"}) == [{"order": "2"}]
    assert len(checks.elsewhere({"cart: 503": {"count": 2}}, 7)) == 1
    assert checks.elsewhere({}, 7) == []
    assert len(checks.elsewhere({}, 0)) == 1


@pytest.mark.parametrize(
    ("acknowledged", "public", "good"), [(3.0, True, True), (5.0, True, False), (3.0, False, False)]
)
def test_customers_who_never_ordered_judge_nothing(acknowledged: float, public: bool, good: bool) -> None:
    assert (checks.silent_before([{"acknowledged": acknowledged, "public": public}], 4.0) == []) is good


@pytest.mark.parametrize(
    ("acknowledged", "public", "good"), [(5.0, True, True), (3.0, True, False), (5.0, False, False)]
)
def test_a_shop_that_stays_shut(acknowledged: float, public: bool, good: bool) -> None:
    orders = [{"acknowledged": 1.0, "public": True}, {"acknowledged": acknowledged, "public": public}]
    assert (checks.silent(orders, 4.0) == []) is good


def test_errors_that_a_patient_customer_sees() -> None:
    failures = {"patient: cart: 500": {"count": 2}, "cart: 503": {"count": 9}}
    assert checks.errors_shown(failures) == ["shown to a customer who waits: patient: cart: 500 x 2"]
