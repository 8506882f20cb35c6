"""The cookie of the products that a visitor looked at last: what we gave is read, everything else is no product."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.recommendations.bounds import DAY_SECONDS, LARGEST_NUMBER
from app.recommendations.recently import LONGEST, RecentlyViewed, with_viewed
from app.web.cookies import SessionCookie

pytestmark = pytest.mark.requirement(
    "what a visitor looked at is kept in the visitor's browser alone, signed and bounded"
)

SECRET, OTHER = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
TODAY = 20_000
VALUE = "1.046c6baf.20000.12-5-77.L50rx8IWC4_jzXkXuNgtYYK5QffTGY1kkqcNsPwUtdM"
"""By hand, with openssl dgst -sha256 -hmac and base64."""


def shop(
    secret: str = SECRET, *, other: str = "", region: str = "rdc-a", day: float = TODAY, days: int = 30
) -> RecentlyViewed:
    return RecentlyViewed(secret, region, secure=True, other=other, days=days, now=lambda: day * DAY_SECONDS + 3600)


def cookies(value: str | None) -> dict[str, str]:
    return {"__Host-recently": value or "", "session": "of another kind"}


def test_a_cookie_is_the_one_that_is_written_down() -> None:
    assert shop().write([12, 5, 77]).value == VALUE
    assert shop().read(cookies(VALUE)) == (12, 5, 77)


def test_a_cookie_is_kept_by_this_host_for_pages_only() -> None:
    header = shop().write([1]).to_header(header="")
    assert header.startswith("__Host-recently=1.046c6baf.20000.1.")
    assert {part.strip() for part in header.split(";")[1:]} == {
        "HttpOnly", "Max-Age=2592000", "Path=/", "SameSite=lax", "Secure",
    }  # fmt: skip
    assert "Max-Age=0" in shop().remove().to_header(header="")
    plain = RecentlyViewed(SECRET, "rdc-a", secure=False)
    assert plain.write([1]).key == plain.name == "recently"
    assert plain.read({"recently": plain.write([1]).value or ""}) == (1,)


def test_it_says_nothing_but_numbers_and_the_day() -> None:
    key, day, numbers, _ = VALUE.split(".")[1:]
    assert (key, day, numbers) == ("046c6baf", "20000", "12-5-77")
    assert shop().write([12, 5, 77]).value == VALUE, "two visitors with the same products have the same cookie"


def test_the_latest_product_stands_last_and_once_and_eight_are_remembered() -> None:
    assert with_viewed((), 3) == (3,)
    assert with_viewed((3, 4, 5), 3) == (4, 5, 3)
    assert with_viewed(range(1, 9), 9) == (2, 3, 4, 5, 6, 7, 8, 9)
    assert shop().read(cookies(shop().write(range(1, 30)).value)) == (22, 23, 24, 25, 26, 27, 28, 29)


def test_the_longest_cookie_is_read_and_bounded() -> None:
    largest = [LARGEST_NUMBER - number for number in range(8)]
    value = shop().write(largest).value or ""
    assert len(value) == 124 < LONGEST
    assert shop().read(cookies(value)) == tuple(largest)


def test_while_the_secret_is_renewed_both_are_read_and_the_first_signs() -> None:
    before, during, after = shop(), shop(OTHER, other=SECRET), shop(OTHER)
    assert during.read(cookies(VALUE)) == (12, 5, 77)
    renewed = during.write([12, 5, 77]).value
    assert renewed == after.write([12, 5, 77]).value != VALUE
    assert after.read(cookies(renewed)) == (12, 5, 77)
    assert shop(other=OTHER).read(cookies(renewed)) == (12, 5, 77)
    assert after.read(cookies(VALUE)) == before.read(cookies(renewed)) == ()


def test_the_name_of_one_secret_is_no_way_to_another() -> None:
    """A value that names the other secret and is signed by the first one."""
    named = VALUE.replace("046c6baf", str(shop(OTHER).write([1]).value).split(".")[1])
    assert shop(other=OTHER).read(cookies(named)) == ()


@pytest.mark.parametrize(("age", "expected"), [(0, 1), (30, 1), (31, 0), (400, 0), (-1, 1), (-2, 0), (-400, 0)])
def test_a_cookie_ends_after_its_days_and_none_is_of_the_day_after_tomorrow(age: int, expected: int) -> None:
    """A cookie of tomorrow comes from a pod whose clock is ahead at midnight."""
    assert len(shop(day=TODAY + age).read(cookies(shop().write([5]).value))) == expected


def test_a_cookie_of_another_region_is_no_product_though_the_secret_is_the_same() -> None:
    assert shop(region="rdc-b").read(cookies(VALUE)) == ()
    assert shop(region="rdc-").read(cookies(VALUE)) == ()


def test_a_session_cookie_cannot_be_put_in_its_place() -> None:
    session = SessionCookie(SECRET, 30, secure=True).write(UUID(int=7)).value
    assert shop().read(cookies(session)) == ()
    assert SessionCookie(SECRET, 30, secure=True).read({"__Host-session": VALUE}) is None


def signed(day: str, numbers: str) -> str:
    """A value with a right signature, whatever it says: nobody but the shop can make it."""
    shop_, name = shop(), "046c6baf"
    return f"1.{name}.{day}.{numbers}.{shop_._sign(SECRET.encode(), name, day, numbers)}"  # noqa: SLF001


@pytest.mark.parametrize(
    "numbers",
    ["", "0", "1-0", "-1", "1-", "1--2", "1-2-3-4-5-6-7-8-9", str(LARGEST_NUMBER + 1), "9999999", "1" * 8, "x", "1e3",
     "\u0661", " 1", "1.2", "1\n"],
)  # fmt: skip
def test_also_what_is_signed_is_bounded(numbers: str) -> None:
    assert shop().read(cookies(signed("20000", numbers))) == ()
    assert shop().read(cookies(signed("20000", "1-2"))) == (1, 2)


def test_what_cannot_be_a_product_is_not_written() -> None:
    assert shop().read(cookies(shop().write([0, 5, LARGEST_NUMBER + 1, -1]).value)) == (5,)
    assert shop().write([]).max_age == shop().write([0]).max_age == 0


@given(at=st.integers(0, len(VALUE) - 1), letter=st.characters())
def test_one_letter_that_is_another_makes_it_no_cookie_of_ours(at: int, letter: str) -> None:
    changed = VALUE[:at] + letter + VALUE[at + 1 :]
    assert shop(other=OTHER).read(cookies(changed)) == ((12, 5, 77) if changed == VALUE else ())


@given(value=st.text(max_size=300) | st.from_regex(r"1\.046c6baf\.[0-9]{1,9}\.[0-9-]{1,90}\.[A-Za-z0-9_-]{43}"))
def test_any_text_is_an_empty_list_and_no_error(value: str) -> None:
    assert shop(other=OTHER).read(cookies(value)) == ()
    assert shop().read({}) == ()


def test_more_than_the_bound_is_not_looked_at() -> None:
    assert shop().read(cookies(f"{VALUE}{'A' * 10_000_000}")) == ()


def test_without_a_secret_there_is_no_cookie() -> None:
    """What everybody can sign is not ours; and a shop without one has to say so at its start."""
    for other in ("", OTHER):
        with pytest.raises(ValueError, match="expected a secret"):
            shop("", other=other)


def test_no_secret_shows() -> None:
    assert SECRET not in repr(shop())
    assert SECRET not in str(shop().write([1]))
