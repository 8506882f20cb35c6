"""What a visitor looked at is remembered after a yes only, and forgotten with the next page after a no."""

from __future__ import annotations

import asyncio
from typing import Any, cast
from uuid import UUID

import pytest
from litestar.types import Message, Scope

from app.errors import SettingsError
from app.recommendations.recently import RecentlyViewed
from app.recommendations.trial import Trial, trial_of
from app.settings import StorefrontSettings
from app.web.consent import agrees
from app.web.remembering import NOTED, sender_of_remembered
from shopsphere.estate.region_facts import region_facts
from shopsphere.topology import load_topology

pytestmark = pytest.mark.requirement("nothing is remembered of who did not agree")
SECRET = "a-secret-that-is-long-enough-for-a-shop"
RECENTLY = RecentlyViewed(SECRET, "rdc-a", secure=False)
VALUE = str(RECENTLY.write([5, 6]).value)
PAGE = [(b"cache-control", b"private, no-store")]


@pytest.mark.parametrize(
    ("cookies", "gpc", "expected"),
    [
        ({"clicks": "yes"}, None, True),
        ({"clicks": "yes"}, "0", True),
        ({"clicks": "yes"}, "1", False),
        ({"clicks": "yes"}, " 1 ", False),
        ({"clicks": "no"}, None, False),
        ({"clicks": "yesno"}, None, False),
        ({"clicks": ""}, None, False),
        ({}, None, False),
    ],
)
def test_only_a_yes_is_a_yes(cookies: dict[str, str], gpc: str | None, expected: bool) -> None:
    assert agrees(cookies, gpc) is expected


def cookies_set(cookie: str, *, state: dict[str, Any] | None = None, headers: list[tuple[bytes, bytes]] = PAGE,
                more: list[tuple[bytes, bytes]] | None = None) -> list[str]:  # fmt: skip
    """Return the cookies that an answer sets, to a request with this header of cookies."""
    (send,) = sender_of_remembered(RECENTLY)
    scope = {"type": "http", "headers": [(b"cookie", cookie.encode()), *(more or [])], "state": state or {}}
    message = {"type": "http.response.start", "status": 200, "headers": list(headers)}
    asyncio.run(cast(Any, send(cast(Message, message), cast(Scope, scope))))
    found = [value.decode() for name, value in cast(Any, message["headers"]) if name == b"set-cookie"]
    return [each.replace("; ", ";") for each in found]


def test_a_no_takes_the_cookie_away_with_the_next_page() -> None:
    for cookie, more in (
        (f"recently={VALUE}; clicks=no", []),
        (f"recently={VALUE}", []),
        (f"clicks=yes; recently={VALUE}", [(b"sec-gpc", b"1")]),
        ("clicks=no; recently=made-up", []),
    ):
        (gone,) = cookies_set(cookie, more=more)
        assert gone.startswith("recently=")
        assert "Max-Age=0" in gone
        assert VALUE not in gone


def test_who_agreed_or_has_no_such_cookie_is_sent_nothing() -> None:
    for cookie in (f"recently={VALUE}; clicks=yes", "clicks=no", "session=a.b", "not-recently=1"):
        assert cookies_set(cookie) == []


def test_a_page_remembers_beside_other_cookies() -> None:
    noted = {NOTED: RECENTLY.write([5, 6, 7])}
    found = cookies_set("clicks=yes", state=noted, headers=[*PAGE, (b"set-cookie", b"session=x")])
    assert found[0] == "session=x"
    assert found[1].startswith("recently=1.")
    assert ".5-6-7." in found[1]


def test_an_answer_that_a_cache_may_keep_sets_no_cookie() -> None:
    assert cookies_set(f"recently={VALUE}; clicks=no", headers=[(b"cache-control", b"public, max-age=60")]) == []


def settings(**more: str) -> StorefrontSettings:
    return StorefrontSettings.read(
        {
            "SHOP_SESSION_SECRET": "0" * 32,
            "COMMERCE_DSN": "postgresql://commerce@db/commerce",
            "PAYMENTS_CALL_KEY": "0" * 32,
            "SHOP_ENVIRONMENT": "lab",
            "SHOP_REGION_FACTS": region_facts(load_topology(), "rdc-a"),
            **more,
        }
    )


def test_a_storefront_without_an_address_asks_nobody() -> None:
    assert settings().recommender_url == ""
    assert settings(SHOP_RECOMMENDATIONS="http://recommend:8011/").recommender_url == "http://recommend:8011"
    with pytest.raises(SettingsError, match="SHOP_RECOMMENDATIONS: expected an http"):
        settings(SHOP_RECOMMENDATIONS="recommend:8011")


TRIAL = '{"name": "row-1", "percent": 50, "from": "2027-01-10", "until": "2027-02-06"}'


def trial() -> Trial:
    found = trial_of(TRIAL)
    assert found is not None
    return found


def test_groups_are_there_from_the_first_day_to_the_last_one() -> None:
    found, one = trial(), UUID(int=1)
    before, first, last, after = (found.first.replace(month=m, day=d) for m, d in ((1, 9), (1, 10), (2, 6), (2, 7)))
    assert [found.group_of(one, day) for day in (before, after)] == ["", ""]
    assert {found.group_of(UUID(int=number), first) for number in range(99)} == {"with", "without"}
    assert [found.group_of(UUID(int=n), first) for n in range(99)] == [
        found.group_of(UUID(int=n), last) for n in range(99)
    ]
    assert [found.group_of(None, day) for day in (before, first, last, after)] == ["", "without", "without", ""]
    assert (found.begins.isoformat(), found.ends.isoformat()) == (
        "2027-01-10T00:00:00+00:00",
        "2027-02-07T00:00:00+00:00",
    )


@pytest.mark.parametrize(
    "text",
    [
        "with",
        "{}",
        TRIAL.replace("50", "0"),
        TRIAL.replace("50", "100"),
        TRIAL.replace("row-1", "Row 1"),
        TRIAL.replace("2027-02-06", "2027-01-09"),
        TRIAL.replace("2027-02-06", "soon"),
        TRIAL.replace('"percent"', '"share"'),
    ],
)
def test_an_experiment_that_cannot_be_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(SettingsError, match=r"SHOP_RECOMMENDATIONS_TRIAL: .*expected"):
        settings(SHOP_RECOMMENDATIONS_TRIAL=text)
    assert trial_of("") is None
