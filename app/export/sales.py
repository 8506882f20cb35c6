"""From orders to facts: what one order adds to which cells, and which orders are one person's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.errors import ShopError
from app.export.disclosure import Fact
from app.export.vocabulary import CATEGORY_NUMBERS, Currency, MoneyMetric


@dataclass(frozen=True, slots=True)
class Sale:
    """An order that was paid.

    Attributes:
        order: its id.
        day: on which it was placed (UTC).
        currency: ISO 4217 code.
        goods: price of its goods by category, as the catalogue calls it (minor units).
        is_refunded: whether the money was given back, so that nothing was sold.
    """

    order: UUID
    day: date
    currency: str
    goods: Mapping[str, int]
    is_refunded: bool = False


def require_words(sales: Iterable[Sale]) -> None:
    """Refuse sales with a currency or a category that no export has a word for.

    Raises:
        ShopError: there are such.
    """
    found: set[str] = set()
    for sale in sales:
        found.update({sale.currency} - set(Currency), sale.goods.keys() - CATEGORY_NUMBERS.keys())
    if found:
        raise ShopError.build(
            "there are sales that no export has a word for",
            expected="currencies and categories of app/export/vocabulary.py",
            found=", ".join(sorted(found)[:5]),
            action="add the word there and, by a migration, to both databases, headquarters' first",
        )


def facts_of(sale: Sale) -> Iterator[Fact]:
    """Yield what an order adds; nobody is named yet.

    Raises:
        ValueError: its currency is not in the vocabulary.
        KeyError: a category is not in the vocabulary.
    """
    currency = Currency(sale.currency)
    goods = {CATEGORY_NUMBERS[slug]: amount for slug, amount in sale.goods.items()}
    money = MoneyMetric.REFUNDS if sale.is_refunded else MoneyMetric.REVENUE
    for category, amount in sorted(goods.items()):
        yield Fact(sale.order, None, sale.day, currency, category, money, amount)
    if not sale.is_refunded:
        main = min(goods, key=lambda category: (-goods[category], category))
        yield Fact(sale.order, None, sale.day, currency, main, MoneyMetric.ORDERS, 1)


@dataclass(frozen=True, slots=True)
class Ordered:
    """Whom an order names: an account, an address, both or, after an erasure, nobody."""

    order: UUID
    customer: UUID | None
    email: str


def people_of(orders: Iterable[Ordered]) -> dict[UUID, UUID | None]:
    """Return who made each order: the same for orders that share an account or an address, None where both are gone.

    One person who uses several accounts and addresses counts as several; nobody can know better.
    """
    head: dict[object, object] = {}

    def find(name: object) -> object:
        while head.setdefault(name, name) != name:
            head[name] = name = head[head[name]]
        return name

    named: dict[UUID, object | None] = {}
    for each in orders:
        names = [name for name in (each.customer, each.email.casefold()) if name]
        named[each.order] = names[0] if names else None
        for name in names[1:]:
            head[find(name)] = find(names[0])
    people: dict[object, UUID] = {}
    return {order: None if name is None else people.setdefault(find(name), order) for order, name in named.items()}
