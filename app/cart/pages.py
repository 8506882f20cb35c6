"""The cart's page and its forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import Response, get, post

from app.cart import repeats, repository
from app.cart.locking import locked_cart
from app.cart.model import MOST_PIECES
from app.catalogue.options import OptionError, customisation
from app.catalogue.pages import show_product
from app.orders.taxes import taxes_in
from app.recommendations.question import Page
from app.web.entries import FRESH, Entries
from app.web.leading import redirect
from app.web.posting import Done, Posting, post_once, post_value
from app.web.refusals import RefusedError
from app.web.services import Request, services_of
from app.web.suggestions import Suggesting
from app.web.visitors import visitor_of

CART = "/cart"
LONGEST_NUMBER = 4  # digits


@get(CART)
async def cart(request: Request) -> Response[Any]:
    """Show what is in the cart."""
    return await _cart_page(request, FRESH)


@get(["/cart/items", "/cart/items/{line:uuid}"])
async def cart_again() -> Response[Any]:
    """Lead whoever comes back to the address of a refused form, as a browser does that was restarted, to the cart."""
    return redirect(CART)


@post("/cart/items")
async def add(request: Request) -> Response[None]:
    """Put a product into the cart, as chosen on its page."""
    return (await post_once(request, _add, form_page=_refused_product))[1]


@post("/cart/items/{line:uuid}")
async def change(request: Request, line: UUID) -> Response[None]:
    """Change how many pieces of a line there are; zero removes it."""
    field = f"pieces-{line}"

    async def action(posting: Posting) -> Done:
        quantity = _quantity(posting.fields, least=0, field=field)
        await locked_cart(posting)
        form = repeats.form_of(posting.key, line)
        if await repeats.is_overtaken(posting.connection, posting.session, form, line, quantity):
            return Done(CART, posting.session)
        contents = await repository.read_cart(posting.connection, posting.session, posting.services.settings.region)
        found = next((each for each in contents.lines if each.id == line), None)
        if found is None and quantity == 0:
            return Done(CART, posting.session)  # another window was faster
        if found is None:
            raise RefusedError(404, "This is no longer in your cart", "Have another look at what is.")
        if quantity > found.most:
            advice = "Choose fewer pieces, or remove it."
            raise RefusedError(409, found.bound, advice, problems={field: f"{found.bound}. {advice}"})
        await repository.set_quantity(posting.connection, line, quantity, form)
        return Done(CART, posting.session)

    return (await post_value(request, action, form_page=_refused_cart))[1]


async def _refused_cart(request: Request, error: RefusedError) -> Response[Any]:
    return await _cart_page(request, error.entries, error.status, error.headers)


async def _cart_page(
    request: Request, form: Entries, status: int = 200, headers: dict[str, str] | None = None
) -> Response[Any]:
    services = services_of(request)
    visitor = await visitor_of(request)
    contents = await repository.read_cart(services.commerce, visitor.session, services.settings.region)
    taxes = taxes_in(contents, next(iter(services.settings.region.delivers_to)))
    async with Suggesting(request, Page.CART, beside=[line.product for line in contents.lines]) as suggesting:
        rows = await suggesting.rows()
    return services.templates.page(
        "cart.html", status=status, headers=headers, visitor=visitor, cart=contents, form=form, taxes=taxes, rows=rows
    )


async def _refused_product(request: Request, error: RefusedError) -> Response[Any]:
    """Draw the page of the product again; where none is on sale, the refusal is a page of its own."""
    return await show_product(request, error.entries.values.get("product", ""), error.entries, status=error.status)


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
            422, "This is not on offer", "Choose another colour or size.", problems=await _missing(posting)
        )
    sku, product, kind, free = found
    quantity = _quantity(fields, least=1, field="quantity")
    try:
        chosen = customisation(kind, product, fields)
    except OptionError as error:
        raise RefusedError(
            422, "We cannot make this as you asked", str(error), problems={error.field: str(error)}
        ) from error
    cart = await locked_cart(posting)
    try:
        await repository.add_line(posting.connection, cart, posting.session, (sku, free), quantity, chosen)
    except repository.FullError as error:
        raise RefusedError(
            error.status, str(error), "Choose fewer pieces, or another option.", problems={"quantity": str(error)}
        ) from error
    return Done(CART, posting.session)


def _quantity(fields: Mapping[str, str], *, least: int, field: str) -> int:
    """Return the number of pieces that a form asks for; `field` is where its page shows what is wrong with it."""
    text = fields.get("quantity", "1")
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER and least <= int(text) <= MOST_PIECES):
        advice = f"Choose {least} to {MOST_PIECES} pieces."
        raise RefusedError(422, "That is not a number of pieces we can take", advice, problems={field: advice})
    return int(text)


async def _missing(posting: Posting) -> dict[str, str]:
    """Return which of colour and size the product does not have; if it has both, but not together, the size."""
    colours = await repository.colours_of(posting.connection, posting.fields.get("product", ""))
    if posting.fields.get("colour", "") not in colours:
        return {"colour": "Choose one of these colours."}
    return {"size": "Choose one of these sizes."}


ROUTES: list[Any] = [cart, cart_again, add, change]
