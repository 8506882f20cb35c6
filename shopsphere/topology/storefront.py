"""What a region's shop needs to know: its money, its language, where it delivers."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints

from shopsphere.topology.base import Derived, Frozen
from shopsphere.topology.place import Country


def _quoted_code(value: object) -> object:
    """Explain the one country whose code YAML takes for a truth value."""
    if isinstance(value, bool):
        raise ValueError('a code of two capital letters; write Norway as "NO", since YAML reads it as a truth value')  # noqa: TRY004 pydantic takes a ValueError for a finding
    return value


CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$", strict=True)]
CountryCode = Annotated[Country, BeforeValidator(_quoted_code)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Separator = Annotated[str, StringConstraints(pattern=r"^[.,'\u2019 \u00a0\u202f]?$", strict=True)]
Minor = Annotated[int, Field(ge=0, le=100_000_000, strict=True)]


class Currency(Frozen):
    """A currency that a region may sell in."""

    name: Derived = Field(title="Name", description="The key under `currencies`: an ISO 4217 code.")
    sign: Annotated[str, StringConstraints(min_length=1, max_length=4)] = Field(
        title="Sign", description="What stands beside an amount, as in € or S$."
    )
    minor_digits: int = Field(
        title="Minor digits",
        description="Digits after the decimal point, as ISO 4217 has them: 2 for EUR, 0 for JPY, 3 for KWD.",
        ge=0,
        le=3,
        strict=True,
    )
    price_factor: float = Field(
        title="Price factor",
        description="Price of one euro in this currency. A seeded product that has no price of its own in the currency "
        "costs its price in euro times this, rounded to a price that a shop would ask.",
        gt=0,
        le=1_000_000,
    )


class NumberFormat(Frozen):
    """How amounts are written; the defaults are those of English."""

    group: Separator = Field(default=",", title="Group", description="Between thousands; may be empty.")
    decimal: Annotated[Separator, StringConstraints(min_length=1)] = Field(
        default=".", title="Decimal", description="Before the digits of the minor unit."
    )
    sign_after: bool = Field(
        default=False,
        title="Sign after",
        description="The currency's sign stands behind the amount, after a space.",
        strict=True,
    )


class Storefront(Frozen):
    """The shop of one pair, as its customers know it."""

    title: Title = Field(title="Title", description="What the shop calls the region, as in Europe.")
    currency: CurrencyCode = Field(title="Currency", description="Code of one of the `currencies`.")
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$", strict=True)] = Field(
        title="Language", description="Language and country of its pages (BCP 47), as in en-IE."
    )
    number_format: NumberFormat = Field(
        default=NumberFormat(), title="Number format", description="How its pages write amounts."
    )
    prices_include_tax: bool = Field(
        title="Prices include tax",
        description="Whether the prices shown are what a customer pays; pages say so where it is true.",
        strict=True,
    )
    shipping_minor: Minor = Field(title="Shipping", description="Price of a delivery (minor units, as in cents).")
    free_shipping_from_minor: Minor = Field(
        title="Free shipping from", description="Goods of this price are delivered free of charge (minor units)."
    )
    order_prefix: Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,3}$", strict=True)] = Field(
        title="Order prefix", description="First letters of its order numbers, different from every other pair's."
    )
    delivers_to: dict[CountryCode, Title] = Field(
        title="Delivers to",
        description="Names of the countries it delivers to by ISO 3166-1 code; forms offer the first one.",
        min_length=1,
    )
