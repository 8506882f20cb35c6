"""Home, category, search and product pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from litestar import Response, get, post
from litestar.exceptions import NotFoundException

from app.catalogue import repository
from app.catalogue.options import LONGEST_TEXT, MOTIF_TITLES
from app.media.designs import design_from
from app.recommendations.question import Page
from app.text import tidy_or_drop
from app.web.entries import FRESH, Entries
from app.web.leading import redirect
from app.web.paging import LONGEST_NUMBER, page_of
from app.web.remembering import remember
from app.web.services import Request, services_of
from app.web.suggestions import Suggesting
from app.web.visitors import visitor_of

LONGEST_QUERY = 80
_LINKED = ("colour", "size", "motif", "placement")  # what an address may choose; words are personal and stay out of it
FEATURED = 12


@get("/")
async def home(request: Request) -> Response[Any]:
    """Show what the shop is and a choice of its products."""
    services = services_of(request)
    async with Suggesting(request, Page.HOME) as suggesting:
        cards = await repository.featured(services.commerce, services.settings.region.currency, FEATURED)
        visitor = await visitor_of(request)
        rows = await suggesting.rows()
    return services.templates.page("home.html", visitor=visitor, cards=cards, rows=rows)


@get("/categories/{slug:str}")
async def category(request: Request, slug: str) -> Response[Any]:
    """Show one page of a category."""
    services = services_of(request)
    shelf = services.shelves.by_slug.get(slug)
    if shelf is None:
        raise NotFoundException(detail="no such category")
    sort = request.query_params.get("sort", "")
    listing = await repository.on_shelf(
        services.commerce, services.settings.region.currency, slug, page_of(request), sort
    )
    return services.templates.page(
        "category.html",
        visitor=await visitor_of(request),
        shelf=shelf,
        listing=listing,
        sort=sort,
        here=f"/categories/{slug}",
    )


@get("/search")
async def search(request: Request) -> Response[Any]:
    """Show one page of what was found; an empty question shows the form only."""
    services = services_of(request)
    words = tidy_or_drop(request.query_params.get("q", ""))[:LONGEST_QUERY].strip()
    listing = None
    if words:
        named = services.shelves.vocabulary.read(words)
        currency = services.settings.region.currency
        listing = await repository.search(services.commerce, currency, words, page_of(request), named)
    return services.templates.page("search.html", visitor=await visitor_of(request), words=words, listing=listing)


@get("/products/{slug:str}")
async def product(request: Request, slug: str) -> Response[Any]:
    """Show a product and the form that puts it into the cart; the address may name what is chosen in it."""
    values = {name: request.query_params[name] for name in _LINKED if name in request.query_params}
    return await show_product(request, slug, Entries(values))


@post("/products/{slug:str}/design", status_code=200)
async def design(request: Request, slug: str) -> Response[Any]:
    """Show a product with what was chosen in its form; for browsers that run no script."""
    return await show_product(request, slug, Entries(await _entered(request)))


@get("/products/{slug:str}/design")
async def design_again(slug: str) -> Response[Any]:
    """Lead whoever comes back to the address of a designed page, which does not say the design, to the product."""
    return redirect(f"/products/{quote(slug, safe='')}")


@post("/products/{slug:str}/picture", status_code=200)
async def pictured(request: Request, slug: str) -> Response[Any]:
    """Return the pictures of what was chosen, to be put in place of those that the page shows."""
    chosen = design_from(slug, await _entered(request))
    if chosen is None:
        raise NotFoundException(detail="no such product")
    colours = [colour.slug for colour in chosen.product.colours]
    return services_of(request).templates.page("gallery.html", design=chosen, colours=colours)


async def show_product(request: Request, slug: str, form: Entries = FRESH, *, status: int = 200) -> Response[Any]:
    """Return a product's page with its form as it was filled in.

    Raises:
        NotFoundException: there is no such product on sale.
    """
    services = services_of(request)
    currency = services.settings.region.currency
    found = await repository.product(services.commerce, currency, slug)
    if found is None:
        raise NotFoundException(detail="no such product")
    async with Suggesting(request, Page.PRODUCT, product=found.number) as suggesting:
        visitor = await visitor_of(request)
        related = await repository.related(services.commerce, currency, found.shelf, slug)
        rows = await suggesting.rows()
    remember(request, found.number)
    twice = {each.card.slug for each in rows.suggested}
    return services.templates.page(
        "product.html",
        status=status,
        visitor=visitor,
        product=found,
        shelf=services.shelves.by_slug[found.shelf],
        rows=rows,
        related=[card for card in related if card.slug not in twice],
        motifs=MOTIF_TITLES,
        form=form,
    )


async def _entered(request: Request) -> dict[str, str]:
    form = await request.form()
    values = {name: str(form.get(name, "")) for name in (*_LINKED, "text", "quantity")}
    return {
        **values,
        "text": tidy_or_drop(values["text"])[:LONGEST_TEXT],
        "quantity": values["quantity"][:LONGEST_NUMBER],
    }


ROUTES: list[Any] = [home, category, search, product, design, design_again, pictured]
