"""Checkout: order, lines, stock and idempotency row in one transaction; the payment comes after it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from uuid import uuid4

from app.cart import repository as carts
from app.cart.locking import locked_cart
from app.cart.model import MOST_PIECES, Cart
from app.limits import LARGEST_ORDER_MINOR
from app.orders import repository
from app.orders.recipient import problems_of, recipient_of
from app.orders.velocity import seconds_to_wait
from app.web.money import money
from app.web.posting import Done, Posting
from app.web.refusals import RefusedError

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # no look-alikes: people read these out on the telephone


async def place(posting: Posting) -> Done:
    """Turn the visitor's cart into an order that waits for its payment, if it is what the form's page has shown.

    Raises:
        RefusedError: the form is incomplete; the cart is empty, has changed or cannot be ordered; a limit is reached.
    """
    connection, region = posting.connection, posting.services.settings.region
    to, token = recipient_of(posting.fields), posting.fields.get("payment_method", "")
    problems = problems_of(to, region)
    if token not in posting.services.settings.payment_methods:  # the provider's token; no card number gets here
        problems["payment_method"] = "Choose how to pay."
    if problems:
        raise RefusedError.of_fields(problems)
    await locked_cart(posting)
    cart = await carts.read_cart(connection, posting.session, region)
    _require_agreed(cart, posting.fields)
    await _require_within_limits(posting, cart, token)
    short = await repository.take_stock(connection, cart)
    if short:
        names = ", ".join(f"{line.product_name} ({line.free} left)" for line in cart.lines if line.sku in short)
        raise RefusedError(409, "Someone was faster", f"We do not have enough of: {names}. Nothing was ordered.")
    identity = uuid4()
    number = f"{region.order_prefix}-" + "".join(secrets.choice(_ALPHABET) for _ in range(9))
    await repository.insert(connection, identity, number, posting.session, posting.visitor.customer, cart, token, to)
    await carts.remove(connection, cart)
    return Done(f"/orders/{identity}/receipt", posting.session)


def _require_agreed(cart: Cart, fields: Mapping[str, str]) -> None:
    """Refuse what the customer has not seen: other lines, other numbers of pieces, other prices."""
    if not cart.lines:
        raise RefusedError(409, "Your cart is empty", "If you sent this twice, you find the order in your orders.")
    gone = [line.product_name for line in cart.lines if not line.is_on_sale]
    if gone:
        are = "is" if len(gone) == 1 else "are"
        raise RefusedError(409, f"{' and '.join(gone)} {are} no longer on sale", "Please remove it from your cart.")
    if (fields.get("agreed_total"), fields.get("agreed_cart")) != (str(cart.total_minor), cart.agreement):
        raise RefusedError(
            409,
            "Your cart or a price has changed",
            "Nothing was ordered or charged. Please look at the new total and order again.",
        )


async def _require_within_limits(posting: Posting, cart: Cart, token: str) -> None:
    """Refuse what is too much for one order, for one article, or for one card in a short time."""
    region = posting.services.settings.region
    if cart.total_minor > LARGEST_ORDER_MINOR:
        most = money(LARGEST_ORDER_MINOR, region)
        raise RefusedError(422, f"This is more than one order may cost ({most})", "Please order fewer pieces.")
    several = [line.problem for line in cart.lines if line.quantity > line.most and line.free > MOST_PIECES]
    if several:
        raise RefusedError(409, "This is more than we sell in one order", " ".join(dict.fromkeys(several)))
    seconds = await seconds_to_wait(
        posting.connection, token, posting.session, posting.visitor.customer, cart.total_minor, region
    )
    if seconds:
        raise RefusedError(
            429,
            "You have bought a lot with this card in a short time",
            f"Nothing was ordered or charged. Please wait {-(-seconds // 60)} min, or order less.",
            headers={"retry-after": str(seconds)},
        )
