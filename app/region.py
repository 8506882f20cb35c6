"""The region that a process serves: what the Deployment says of it, in one variable, as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
Fact = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Amount = Annotated[int, msgspec.Meta(ge=0)]
Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]
CountryCode = Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]


class Seller(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who sells in a region, as the law wants it said; the topology describes the fields."""

    name: Fact
    address: Fact
    represented_by: Fact
    email: Fact
    phone: Fact
    registered_as: Fact
    tax_number: Fact
    authority: Fact


class Retention(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long the shop keeps what it holds about people; the topology describes the fields and has the same bounds."""

    session_days: Annotated[int, msgspec.Meta(ge=2, le=400)] = 30
    unused_session_days: Annotated[int, msgspec.Meta(ge=1, le=30)] = 2
    cart_days: Annotated[int, msgspec.Meta(ge=1, le=1100)] = 180
    form_days: Annotated[int, msgspec.Meta(ge=1, le=90)] = 7
    wrong_password_days: Annotated[int, msgspec.Meta(ge=1, le=90)] = 1
    card_token_days: Annotated[int, msgspec.Meta(ge=1, le=400)] = 2
    recipient_years: Annotated[int, msgspec.Meta(ge=1, le=30)] = 10

    def __post_init__(self) -> None:
        """Refuse that what nobody used outlives what is used."""
        if self.unused_session_days > self.session_days:
            raise ValueError(
                f"expected unused_session_days of at most session_days ({self.session_days}), "
                f"found {self.unused_session_days}"
            )


class Region(msgspec.Struct, frozen=True, kw_only=True):
    """What the shop knows about the pair of sites it runs in.

    Attributes:
        pair: name of the pair.
        title: what pages call the region.
        language: of its pages (BCP 47).
        currency: ISO 4217 code.
        currency_sign: what stands beside an amount.
        minor_digits: digits after the decimal point; amounts are kept in the minor unit.
        price_factor: price of one euro in the currency, for products without a price of their own in it.
        group: between thousands.
        decimal: before the minor digits.
        sign_after: whether the sign stands behind the amount.
        prices_include_tax: whether a price is all that a customer pays.
        shipping_minor: price of a delivery.
        free_shipping_from_minor: goods of this price are delivered free of charge.
        order_prefix: first letters of order numbers.
        legal_texts: which set of legal texts its pages show, a folder of app/legal/texts.
        seller: who sells there; None while nobody is named.
        delivers_to: names of countries by ISO 3166-1 code, the usual one first.
        tax_name: of the tax that prices include; empty if pages state none.
        tax_percent: its rate by country.
        tax_percent_of_kind: other rates, by kind of goods (`apparel`) and country.
        retention: how long what is held about people is kept; the defaults where nothing is said.
    """

    pair: Text
    title: Text
    language: Annotated[str, msgspec.Meta(pattern="^[a-z]{2,3}(-[A-Z]{2})?$")]
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
    currency_sign: Annotated[str, msgspec.Meta(min_length=1, max_length=4)]
    minor_digits: Annotated[int, msgspec.Meta(ge=0, le=3)]
    price_factor: Annotated[float, msgspec.Meta(gt=0)]
    group: Annotated[str, msgspec.Meta(max_length=1)]
    decimal: Annotated[str, msgspec.Meta(min_length=1, max_length=1)]
    sign_after: bool
    prices_include_tax: bool
    shipping_minor: Amount
    free_shipping_from_minor: Amount
    order_prefix: Annotated[str, msgspec.Meta(pattern="^[A-Z]{1,3}$")]
    legal_texts: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z-]{0,30}$")]
    seller: Seller | None
    delivers_to: Annotated[dict[CountryCode, Text], msgspec.Meta(min_length=1)]
    tax_name: Annotated[str, msgspec.Meta(max_length=20)]
    tax_percent: dict[CountryCode, Percent]
    tax_percent_of_kind: dict[str, dict[CountryCode, Percent]]
    retention: Retention = Retention()


class RegionFactsError(ValueError):
    """The facts cannot be used; `problems` has one line for each thing that is wrong."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


def region_of(text: str) -> Region:
    """Return the region that a JSON text describes.

    Raises:
        RegionFactsError: it is no JSON object, or facts are missing, unknown or wrong: all of them are named.
    """
    try:
        facts = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise RegionFactsError([f"expected a JSON object, found {text[:40]!r}: {error}"]) from error
    if not isinstance(facts, dict):
        raise RegionFactsError([f"expected a JSON object, found {text[:40]!r}"])
    problems = list(_problems_of(facts))
    if problems:
        raise RegionFactsError(problems)
    return msgspec.convert(facts, Region)


def _problems_of(facts: dict[str, Any]) -> Iterator[str]:
    fields = {field.name: field for field in msgspec.structs.fields(Region)}
    for name, field in fields.items():
        if name not in facts:
            if field.required:
                yield f"{name}: expected a value, found none"
            continue
        try:
            msgspec.convert(facts[name], field.type)
        except msgspec.ValidationError as error:
            yield f"{name}: {error}, found {facts[name]!r}"
    for name in facts:
        if name not in fields:
            yield f"{name}: expected one of {', '.join(fields)}, found an unknown name"
