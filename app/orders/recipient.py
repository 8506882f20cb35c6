"""Reads the recipient from a checkout's form: who gets the parcel, or what is wrong with which field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.orders.model import Recipient
from app.orders.postcodes import example, is_postcode
from app.region import Region
from app.web.person_fields import ADDRESS


def recipient_of(fields: Mapping[str, str]) -> Recipient:
    """Return the recipient that a form names; `problems_of` says whether that is one."""
    return Recipient(**{field.name: fields.get(field.name, "") for field in ADDRESS}, country=fields.get("country", ""))


def problems_of(to: Recipient, region: Region) -> dict[str, str]:
    """Return what is wrong with which field, in the order of the form; empty when a parcel can be sent."""
    return dict(_problems(to, region))


def _problems(to: Recipient, region: Region) -> Iterator[tuple[str, str]]:
    for field in ADDRESS:
        value = str(getattr(to, field.name))
        problem = field.problem_of(value)
        if problem:
            yield field.name, problem
        elif field.name == "postcode" and to.country in region.delivers_to and not is_postcode(to.country, value):
            such = example(to.country)
            yield (
                field.name,
                f"Enter a postcode of {region.delivers_to[to.country]}" + (f", such as {such}." if such else "."),
            )
    if to.country not in region.delivers_to:
        yield "country", "Choose a country that we deliver to."
