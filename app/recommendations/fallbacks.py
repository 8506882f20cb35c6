"""What fills a row when the neighbours do not: what many look at now, what sells, what is new, by category."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from app.recommendations.because import Because, Recommendation

LEAST_PEOPLE = 3
"""Fewer visitors or buyers than this make no product popular."""
MOST_IN_LIST = 100
"""Products of one list of a category; what is further down never fills a row."""


@dataclass(frozen=True, slots=True)
class Popularity:
    """What is known of a category's products, each list with the best one first.

    Attributes:
        trending: looked at by most visitors in the last hours; `ranked` makes it.
        bestsellers: bought by most customers; `ranked` makes it.
        new: put on sale lately, the latest one first; empty when nothing is new.
    """

    trending: tuple[int, ...] = ()
    bestsellers: tuple[int, ...] = ()
    new: tuple[int, ...] = ()


def ranked(people: Mapping[int, int], least: int = LEAST_PEOPLE) -> tuple[int, ...]:
    """Return product numbers by how many people there are for each, most first; of equal ones the smaller number."""
    enough = [product for product, count in people.items() if count >= least]
    return tuple(sorted(enough, key=lambda product: (-people[product], product))[:MOST_IN_LIST])


def filled(
    row: Sequence[Recommendation],
    count: int,
    categories: Sequence[Popularity],
    shows: Callable[[int], bool],
    left_out: Collection[int] = (),
) -> tuple[Recommendation, ...]:
    """Return a row of at most `count` products, filled up from categories where it is shorter.

    Trending products of all categories come first, then best-sellers, then new ones; where there are several
    categories, they take turns.

    Args:
        row: what is known already, the best one first.
        count: of products in the row.
        categories: to fill up from, the nearest one first.
        shows: whether a product is on sale and in stock.
        left_out: products that the row must not have.
    """
    full = list(row[: max(count, 0)])
    taken = {*left_out, *(each.product for each in full)}
    for each in _in_order(categories):
        if len(full) >= count:
            break
        if each.product not in taken and shows(each.product):
            taken.add(each.product)
            full.append(each)
    return tuple(full)


def _in_order(categories: Sequence[Popularity]) -> Iterator[Recommendation]:
    lists = (
        ([each.trending for each in categories], Because.POPULAR),
        ([each.bestsellers for each in categories], Because.POPULAR),
        ([each.new for each in categories], Because.NEW),
    )
    for products_of, because in lists:
        for turn in zip_longest(*(products[:MOST_IN_LIST] for products in products_of)):
            yield from (Recommendation(product, because) for product in turn if product is not None)
