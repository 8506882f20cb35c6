"""The cart's page and its forms."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, get, post

from app.cart import repository
from app.cart.model import MOST_PIECES
from app.catalogue.options import OptionError, customisation
from app.web.posting import Done, Posting, post_once
from app.web.refusals import RefusedError
from app.web.services import Request, services_of
from app.web.visitors import visitor_of

CART = "/cart"


@get(CART)
async def cart(request: Request) -> Response[Any]:
    """Show what is in the cart."""
    services = services_of(request)
    visitor = await visitor_of(request)
    contents = await repository.read_cart(services.commerce, visitor.session, services.settings.region)
    return services.templates.page("cart.html", visitor=visitor, cart=contents, most=MOST_PIECES)


@post("/cart/items")
async def add(request: Request) -> Response[None]:
    """Put a product into the cart, as chosen on its page."""
    return (await post_once(request, _add))[1]


@post("/cart/items/{line:uuid}")
async def change(request: Request, line: UUID) -> Response[None]:
    """Change how many pieces of a line there are; zero removes it."""

    async def action(posting: Posting) -> Done:
        quantity = _quantity(posting.fields, least=0)
        if not await repository.set_quantity(posting.connection, posting.session, line, quantity):
            raise RefusedError(404, "This is no longer in your cart", "Have another look at your cart.")
        return Done(CART, posting.session)

    return (await post_once(request, action))[1]


async def _add(posting: Posting) -> Done:
    fields = posting.fields
    found = await repository.find_variant(
        posting.connection,
        fields.get("sku", ""),
        fields.get("product", ""),
        fields.get("colour", ""),
        fields.get("size", ""),
    )
    if found is None:
        raise RefusedError(
            422, "Please choose a colour and a size", "Go back and choose one of those that are offered."
        )
    sku, kind, free = found
    quantity = _quantity(fields, least=1)
    if free < quantity:
        raise RefusedError(409, f"Only {free} of these are left", "Go back and choose fewer pieces, or another option.")
    try:
        chosen = customisation(kind, fields)
    except OptionError as error:
        raise RefusedError(422, "We cannot make this as you asked", str(error)) from error
    await repository.add_line(posting.connection, posting.session, sku, quantity, chosen)
    return Done(CART, posting.session)


def _quantity(fields: Any, *, least: int) -> int:
    text = fields.get("quantity", "1")
    if not (text.isascii() and text.isdecimal() and least <= int(text) <= MOST_PIECES):
        raise RefusedError(422, "That is not a number of pieces we can take", f"Choose {least} to {MOST_PIECES}.")
    return int(text)


ROUTES: list[Any] = [cart, add, change]
