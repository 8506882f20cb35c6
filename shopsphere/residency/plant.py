"""Planting: one customer per jurisdiction who does not exist, with an account, an order and its payment."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable

from shopsphere.foundation.errors import ShopSphereError
from shopsphere.residency.customer import Person
from shopsphere.residency.tokens import Planting, Token, new_stem, new_word

Order = Callable[[str, Person], str]
"""Orders as a person of a jurisdiction, from where its customers are, and returns the order's identifier."""
MAIL_DOMAIN = "example.org"
"""Reserved (RFC 2606): nobody gets the letters."""
FIELDS = ("email", "name", "street", "city", "words")


class PlantError(ShopSphereError):
    """A program at the customers' host did not say which order it made."""


def plant(jurisdictions: Iterable[str], shop: str, order: Order, *, environment: str, now: float) -> Planting:
    """Plant a customer in each jurisdiction.

    Args:
        jurisdictions: which.
        shop: the shop's public address: DNS leads each customer home.
        order: how a customer orders.
        environment: where.
        now: seconds since 1970.

    Raises:
        ShopSphereError: a shop took no order; then nothing may be concluded, so there is no planting.
    """
    stem = new_stem()
    tokens: list[Token] = []
    for each in jurisdictions:
        words = {field: new_word(stem) for field in FIELDS}
        words["email"] += f"@{MAIL_DOMAIN}"
        made = order(each, Person(shop=shop, password=secrets.token_urlsafe(16), **words))
        tokens += [Token(name=f"{each}/{field}", jurisdiction=each, value=word) for field, word in words.items()]
        tokens.append(Token(name=f"{each}/order", jurisdiction=each, value=made))
    return Planting(environment=environment, stem=stem, began=now, tokens=tuple(tokens))


def guest(planting: Planting, jurisdiction: str, shop: str) -> Person:
    """Return a jurisdiction's planted customer, who orders again and does not sign in."""
    words = {each.name.partition("/")[2]: each.value for each in planting.of(jurisdiction)}
    return Person(shop=shop, **{field: words[field] for field in FIELDS})


def order_in(output: str) -> str:
    """Return the order that `shopsphere.residency.customer` has printed.

    Raises:
        PlantError: it printed something else.
    """
    try:
        return str(json.loads(output)["order"])
    except (ValueError, LookupError, TypeError) as error:
        raise PlantError.build(
            "an order was made, or was not",
            expected='{"order": …} from the customers\' host',
            found=repr(output[:80]),
            action="look at what the host can reach, then plant again",
        ) from error
