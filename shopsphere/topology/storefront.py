"""What a region's shop needs to know: its money, its language, where it delivers."""

from __future__ import annotations

from typing import Annotated, Literal

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
Fact = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
EmailFact = Annotated[str, StringConstraints(pattern=r"^[^@\s<>\"]+@[^@\s<>\"]+\.[^@\s<>\"]+$", max_length=200)]
Separator = Annotated[str, StringConstraints(pattern=r"^[.,'\u2019 \u00a0\u202f]?$", strict=True)]
Percent = Annotated[float, Field(ge=0, le=100)]
Kind = Literal["apparel", "electronics"]
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


class Seller(Frozen):
    """Who sells in a region, as its law wants it said in the shop. All of it is shown as it stands."""

    name: Fact = Field(title="Name", description="Full name of the company, with its legal form.")
    address: Fact = Field(title="Address", description="Street, postcode, city and country, where letters reach it.")
    represented_by: Fact = Field(title="Represented by", description="Names of those who act for it.")
    email: EmailFact = Field(title="E-mail", description="An address that is read on every working day.")
    phone: Fact = Field(title="Telephone", description="With the country's code.")
    registered_as: Fact = Field(title="Registered as", description="The company's register and number.")
    tax_number: Fact = Field(title="Tax number", description="VAT or GST identification number, or its counterpart.")
    authority: Fact = Field(
        title="Authority", description="The authority that customers may complain to about personal data."
    )


class Tax(Frozen):
    """The tax that is in a region's prices."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20)] = Field(
        title="Name", description="What customers know it as, as in VAT or GST."
    )
    percent: dict[CountryCode, Percent] = Field(
        title="Percent", description="Rate by the country that a parcel goes to; each that is delivered to has one."
    )
    percent_of_kind: dict[Kind, dict[CountryCode, Percent]] = Field(
        default={},
        title="Percent of kind",
        description="Other rates, where a country taxes one kind of goods differently: apparel or electronics.",
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
    legal_texts: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{0,30}$", strict=True)] = Field(
        default="eu",
        title="Legal texts",
        description="The set of legal pages that its shop shows, a folder of app/legal/texts; eu gives customers the "
        "most rights.",
    )
    seller: Seller | None = Field(
        default=None,
        title="Seller",
        description="The company that sells there. Without it the legal pages say that nobody is named yet; production "
        "needs one of its own for each pair.",
    )
    delivers_to: dict[CountryCode, Title] = Field(
        title="Delivers to",
        description="Names of the countries it delivers to by ISO 3166-1 code; forms offer the first one.",
        min_length=1,
    )
    tax: Tax | None = Field(
        default=None,
        title="Tax",
        description="The tax that prices include, as carts and receipts state it; without it they state none.",
    )
