"""The checkers of the safety bench: each finds what it is there for."""

import sys
import uuid

import pytest

from shopsphere.paths import REPOSITORY

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
def test_payments(said_paid, ledger, found):
    assert checks.lost_or_doubled([{"order": ORDER, "paid": said_paid}], ledger) == found


@pytest.mark.parametrize(
    ("sites", "epochs", "good"),
    [
        ("aaa", 0, True),
        ("aabb", 1, True),
        ("aaba", 1, False),
        ("ab", 0, False),
        ("aabbaa", 2, True),
        ("ababab", 2, False),
        ("", 0, True),
    ],
)
def test_two_sites_in_one_epoch(sites, epochs, good):
    assert (checks.two_writers(list(enumerate(sites)), epochs) == []) is good


@pytest.mark.parametrize(
    ("before", "after", "epochs", "good"), [(3, 3, 0, True), (3, 4, 1, True), (3, 3, 1, False), (4, 3, 0, False)]
)
def test_timelines(before, after, epochs, good):
    assert (checks.timeline(before, after, epochs) == []) is good


def test_what_is_left_over():
    assert checks.uneven(0, {"orders": 0, "payments": 0}) == []
    assert len(checks.uneven(5, {"orders": 1, "payments": 0})) == 2
    assert checks.names({"ns1": (2, "dublin"), "ns2": (2, "dublin")}, 2, "dublin") == []
    assert len(checks.names({"ns1": (1, "frankfurt"), "ns2": (2, "dublin")}, 2, "dublin")) == 1
    assert checks.lost_orders([{"order": "1"}, {"order": "2"}], {"1"}) == [{"order": "2"}]
    assert len(checks.elsewhere({"cart: 503": {"count": 2}})) == 1


def test_errors_that_a_patient_customer_sees():
    failures = {"patient: cart: 500": {"count": 2}, "cart: 503": {"count": 9}}
    assert checks.errors_shown(failures) == ["shown to a customer who waits: patient: cart: 500 x 2"]
