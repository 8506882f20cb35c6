"""Reads the recipient from a checkout's form: who gets the parcel, or what is wrong with which field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from app.orders.model import Recipient
from app.orders.postcodes import example, is_postcode
from app.region import Region

LONGEST: Mapping[str, int] = {"email": 254, "name": 100, "street": 200, "postcode": 16, "city": 100}
_ASKED = {
    "email": "Enter an e-mail address such as name@example.org.",
    "name": "Enter your name.",
    "street": "Enter your street and number.",
    "postcode": "Enter your postcode.",
    "city": "Enter your city.",
}
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def recipient_of(fields: Mapping[str, str]) -> Recipient:
    """Return the recipient that a form names; `problems_of` says whether that is one."""
    return Recipient(**{name: fields.get(name, "") for name in LONGEST}, country=fields.get("country", ""))


def problems_of(to: Recipient, region: Region) -> dict[str, str]:
    """Return what is wrong with which field, in the order of the form; empty when a parcel can be sent."""
    return dict(_problems(to, region))


def _problems(to: Recipient, region: Region) -> Iterator[tuple[str, str]]:
    for name, longest in LONGEST.items():
        value = str(getattr(to, name))
        if not value:
            yield name, _ASKED[name]
        elif len(value) > longest:
            yield name, f"Use at most {longest} characters; these are {len(value)}."
        elif name == "email" and not _EMAIL.fullmatch(value):
            yield name, _ASKED[name]
        elif name == "postcode" and to.country in region.delivers_to and not is_postcode(to.country, value):
            such = example(to.country)
            yield (
                name,
                f"Enter a postcode of {region.delivers_to[to.country]}" + (f", such as {such}." if such else "."),
            )
    if to.country not in region.delivers_to:
        yield "country", "Choose a country that we deliver to."
