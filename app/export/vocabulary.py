"""The fixed words and numbers that an export is made of; a value that is not among them cannot leave a region.

Words are labels of enumerations in both databases too: a new one is added to the vocabulary and, by a migration, to
the databases; headquarters gets it first, because it refuses what it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from app.catalogue.seed.products import categories, products


class Currency(StrEnum):
    """ISO 4217 codes of the currencies that a region may sell in."""

    AED = "AED"
    AUD = "AUD"
    BRL = "BRL"
    CAD = "CAD"
    CHF = "CHF"
    CNY = "CNY"
    CZK = "CZK"
    DKK = "DKK"
    EUR = "EUR"
    GBP = "GBP"
    HKD = "HKD"
    HUF = "HUF"
    INR = "INR"
    JPY = "JPY"
    KRW = "KRW"
    MXN = "MXN"
    NOK = "NOK"
    NZD = "NZD"
    PLN = "PLN"
    SEK = "SEK"
    SGD = "SGD"
    USD = "USD"
    ZAR = "ZAR"


class Kind(StrEnum):
    """What a release is."""

    MONEY = "money"  # of one day, exact, said once
    BEHAVIOUR = "behaviour"  # of one day, with noise, drawn once
    CORRECTION = "correction"  # money of earlier days that was not counted before


class MoneyMetric(StrEnum):
    """What is counted of orders."""

    ORDERS = "orders"  # in the category that most of the order's goods are of
    REVENUE = "revenue"  # price of the goods, in minor units, without delivery
    REFUNDS = "refunds"  # the same of orders whose money was taken and given back


class Step(StrEnum):
    """What a visitor did at least once that day."""

    VISIT = "visit"
    SEARCH = "search"
    LIST = "list"
    VIEW = "view"
    ADD = "add"
    REMOVE = "remove"
    CHECKOUT = "checkout"
    BUY = "buy"


class HourMetric(StrEnum):
    """What is counted by the hour."""

    VISIT = "visit"


class Interest(StrEnum):
    """What a visitor did at least once that day with a product, or with one of a category."""

    VIEW = "view"
    ADD = "add"
    BUY = "buy"


class Audience(StrEnum):
    """Who visits, as the collector classes it."""

    PEOPLE = "people"
    AUTOMATION = "automation"


class MoneyFlag(StrEnum):
    """What the value of a money row is."""

    EXACT = "exact"  # the sum of what is counted by now
    DELTA = "delta"  # to be added to what was said before
    SMALL = "small"  # withheld


class NoisyFlag(StrEnum):
    """What the value of a behaviour row is."""

    NOISY = "noisy"
    SMALL = "small"  # withheld


CATEGORY_NUMBERS: Mapping[str, int] = {
    "t-shirts": 1,
    "long-sleeves": 2,
    "sweatshirts": 3,
    "hoodies": 4,
    "polos": 5,
    "tank-tops": 6,
    "kids": 7,
    "totes": 8,
    "caps": 9,
    "aprons": 10,
    "headphones": 11,
    "earbuds": 12,
    "watches": 13,
    "speakers": 14,
    "phones": 15,
    "tablets": 16,
    "laptops": 17,
    "cameras": 18,
    "turntables": 19,
    "lamps": 20,
}
"""Numbers of the catalogue's categories. A number is never given to another one; a new category takes the next."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The numbers of a catalogue.

    Attributes:
        categories: numbers of its categories.
        products: numbers of its products.
    """

    categories: frozenset[int]
    products: frozenset[int]


@cache
def of_catalogue() -> Vocabulary:
    """Return the numbers of the catalogue that this program seeds, the same in every region."""
    return Vocabulary(
        frozenset(CATEGORY_NUMBERS[each.slug] for each in categories()), frozenset(range(1, len(products()) + 1))
    )
