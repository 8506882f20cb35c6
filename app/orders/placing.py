"""Checkout: order, lines, stock and idempotency row in one transaction; the payment comes after it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from uuid import uuid4

from app.cart import repository as carts
from app.orders import repository
from app.orders.model import Recipient
from app.region import Region
from app.web.posting import Done, Posting
from app.web.refusals import RefusedError

# What the provider's hosted field would hand us; in this shop its test tokens. A card number never gets here.
PAYMENT_METHODS: Mapping[str, str] = {
    "tok_visa": "Visa ending in 4242",
    "tok_mastercard": "Mastercard ending in 4444",
    "tok_declined": "Test card that is declined",
}
_LONGEST = {"email": 254, "name": 100, "street": 200, "postcode": 16, "city": 100}
_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # no look-alikes: people read these out on the telephone


async def place(posting: Posting) -> Done:
    """Turn the visitor's cart into an order that waits for its payment.

    Raises:
        RefusedError: the form is incomplete, the cart is empty, or stock does not suffice.
    """
    region = posting.services.settings.region
    recipient = _recipient(posting.fields, region)
    token = posting.fields.get("payment_method", "")
    if token not in PAYMENT_METHODS:
        raise RefusedError(422, "Please choose how to pay", "Go back and choose one of the payment methods.")
    cart = await carts.read_cart(posting.connection, posting.session, region)
    if not cart.lines:
        raise RefusedError(409, "Your cart is empty", "Put something into it first.")
    short = await repository.take_stock(posting.connection, cart)
    if short:
        names = ", ".join(f"{line.product_name} ({line.free} left)" for line in cart.lines if line.sku in short)
        raise RefusedError(409, "Someone was faster", f"We do not have enough of: {names}. Nothing was ordered.")
    identity = uuid4()
    number = f"{region.order_prefix}-" + "".join(secrets.choice(_ALPHABET) for _ in range(9))
    await repository.insert(
        posting.connection, identity, number, posting.session, posting.visitor.customer, cart, token, recipient
    )
    await carts.empty(posting.connection, posting.session)
    return Done(f"/orders/{identity}/receipt", posting.session)


def _recipient(fields: Mapping[str, str], region: Region) -> Recipient:
    values = {name: fields.get(name, "") for name in _LONGEST}
    for name, longest in _LONGEST.items():
        if not 0 < len(values[name]) <= longest or not values[name].isprintable():
            raise RefusedError(
                422, f"Please check the field “{name}”", f"It needs 1 to {longest} characters. Go back to it."
            )
    if not _EMAIL.match(values["email"]):
        raise RefusedError(422, "Please check your e-mail address", "It should look like name@example.org.")
    country = fields.get("country", "")
    if country not in region.delivers_to:
        raise RefusedError(422, "We do not deliver there from here", "Choose one of the countries in the list.")
    return Recipient(**values, country=country)
