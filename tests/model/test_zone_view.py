"""What people and checks are told of signed answers, from what resolvers would meet."""

from datetime import UTC, datetime, timedelta

import pytest

from shopsphere.names.zone_proof import Proof, Vouched
from shopsphere.names.zone_view import ZoneView, judge_zone_view

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
DS = "6499 13 2 13b96f9f37a1e9c044180fb926a4e69e488c84f55bdf41d03638d358fdfd3181"


def proof(left: timedelta) -> Proof:
    return Proof(frozenset({6499}), frozenset({6499}), NOW + left, 60)


def view(*proofs: Proof | str, ds: str = DS) -> ZoneView:
    servers = ("10.0.0.53", "10.0.0.54")
    return ZoneView({"10.0.0.1": Vouched(frozenset(filter(None, [ds])), 30)}, dict(zip(servers, proofs, strict=False)))


GOOD = proof(timedelta(days=11))


@pytest.mark.requirement(
    "answers that resolvers would throw away are said before a failover; an unsigned zone is no fault"
)
@pytest.mark.parametrize(
    ("seen", "passed", "words"),
    [
        (view(GOOD, GOOD), True, "answers of 10.0.0.53, 10.0.0.54 are proven; signatures until 2026-12-10"),
        (view(GOOD, "not signed"), False, "resolvers throw away what 10.0.0.54 answers: not signed"),
        (view(GOOD, proof(timedelta(days=3))), True, "until 2026-12-02"),
        (view(GOOD, proof(timedelta(days=3, seconds=-1))), False, "10.0.0.54 signs until 2026-12-02 11:59 UTC only"),
        (view(ds=""), True, "vouches for no key"),
        (ZoneView({"10.0.0.1": "no answer"}, {}), False, "the parent zone is silent: 10.0.0.1: no answer"),
        (ZoneView({}, {}), True, "nobody knows"),
    ],
)
def test_what_is_said(seen: ZoneView, passed: bool, words: str) -> None:
    found = judge_zone_view(seen, NOW)
    assert found.passed is passed
    assert words in found.found


def test_one_of_two_parents_is_enough_to_know() -> None:
    both = ZoneView({"10.0.0.1": "no answer", "10.0.0.2": Vouched(frozenset({DS}), 30)}, {"10.0.0.53": GOOD})
    assert judge_zone_view(both, NOW).passed
