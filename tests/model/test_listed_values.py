"""What RES-007 says may be in the place of what is not listed."""

from __future__ import annotations

import pytest
from policy_cases.declared import Declared

from policies.judging import judge
from policies.listing.shape import ListedType, Only
from policies.residency import res_007_listed_types_and_fields as res_007

TOKEN = "acme:x:Y"
LISTED = {TOKEN: ListedType("Why.", {"mode": Only("no other", (1, "two")), "none": {}, "some": {"b": "y", "a": "x"}})}


@pytest.mark.parametrize(
    ("props", "found", "allowed"),
    [
        ({"mode": 3}, "mode: 3", "1 or two"),
        ({"none": {"x": 1}}, "none.x, which nobody has listed", "nothing here"),
        ({"some": {"x": 1}}, "some.x, which nobody has listed", "a, b"),
        ({"some": {"hostPath": 1}}, "some.hostPath: it reads the node's disk, other pods' volumes among it", "a, b"),
    ],
)
def test_what_may_be_there_instead_is_said(
    props: dict[str, object], found: str, allowed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(res_007, "LISTED", LISTED)
    (finding,) = judge([res_007.RULE], [Declared(TOKEN, props).resource()])
    assert (finding.found, finding.allowed) == (found, allowed)
    assert judge([res_007.RULE], [Declared(TOKEN, {"mode": "two", "none": {}, "some": {"a": 1}}).resource()]) == []
