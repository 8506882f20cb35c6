"""What RES-007 says may be in the place of what is not listed."""

from __future__ import annotations

import pytest
from policy_cases.declared import Declared

from policies.judging import judge
from policies.listing.shape import ListedType, Named, Only
from policies.residency import res_007_listed_types_and_fields as res_007

TOKEN = "acme:x:Y"
LISTED = {
    TOKEN: ListedType(
        "Why.",
        {
            "mode": Only("no other", (1, "two")),
            "none": {},
            "some": {"b": "y", "a": "x"},
            "labels": Named("any name"),
        },
    )
}


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


@pytest.mark.parametrize(
    ("props", "found", "allowed"),
    [
        ({"mode": ["two"]}, "mode is a list", "one of 1, two"),
        ({"some": ["a"]}, "some is a list", "a mapping"),
        ({"labels": "a=b"}, "labels is a str", "a mapping"),
    ],
)
def test_a_value_of_another_shape_is_said_with_what_it_should_be(
    props: dict[str, object], found: str, allowed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(res_007, "LISTED", LISTED)
    (finding,) = judge([res_007.RULE], [Declared(TOKEN, props).resource()])
    assert (finding.found, finding.allowed) == (found, allowed)


def test_a_field_without_a_value_is_as_if_it_were_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(res_007, "LISTED", LISTED)
    empty = Declared(TOKEN, {"mode": None, "none": None, "some": None, "labels": None})
    assert judge([res_007.RULE], [empty.resource()]) == []


def test_each_field_that_is_not_listed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(res_007, "LISTED", LISTED)
    several = Declared(TOKEN, {"x": 1, "some": {"y": 1, "a": 1, "z": 1}, "mode": 3})
    assert [each.found for each in judge([res_007.RULE], [several.resource()])] == [
        "x, which nobody has listed",
        "some.y, which nobody has listed",
        "some.z, which nobody has listed",
        "mode: 3",
    ]
