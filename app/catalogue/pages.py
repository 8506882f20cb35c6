"""Home, category, search and product pages."""

from __future__ import annotations

from typing import Any

from litestar import Response, get
from litestar.exceptions import NotFoundException

from app.catalogue import repository
from app.catalogue.model import MAX_PAGE
from app.catalogue.options import MOTIF_CHOICES, PLACEMENTS
from app.web.services import Request, services_of
from app.web.visitors import visitor_of

LONGEST_QUERY = 80
FEATURED = 12


@get("/")
async def home(request: Request) -> Response[Any]:
    """Show what the shop is and a choice of its products."""
    services = services_of(request)
    cards = await repository.featured(services.commerce, services.settings.region.currency, FEATURED)
    return services.templates.page("home.html", visitor=await visitor_of(request), cards=cards)


@get("/categories/{slug:str}")
async def category(request: Request, slug: str) -> Response[Any]:
    """Show one page of a category."""
    services = services_of(request)
    shelf = services.shelves.by_slug.get(slug)
    if shelf is None:
        raise NotFoundException(detail="no such category")
    sort = request.query_params.get("sort", "")
    listing = await repository.on_shelf(
        services.commerce, services.settings.region.currency, slug, _page(request), sort
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
    words = request.query_params.get("q", "").replace("\x00", "").strip()[:LONGEST_QUERY]
    listing = None
    if words:
        listing = await repository.search(services.commerce, services.settings.region.currency, words, _page(request))
    return services.templates.page("search.html", visitor=await visitor_of(request), words=words, listing=listing)


@get("/products/{slug:str}")
async def product(request: Request, slug: str) -> Response[Any]:
    """Show a product and the form that puts it into the cart."""
    services = services_of(request)
    currency = services.settings.region.currency
    found = await repository.product(services.commerce, currency, slug)
    if found is None:
        raise NotFoundException(detail="no such product")
    return services.templates.page(
        "product.html",
        visitor=await visitor_of(request),
        product=found,
        shelf=services.shelves.by_slug[found.shelf],
        related=await repository.related(services.commerce, currency, found.shelf, slug),
        motifs=MOTIF_CHOICES,
        placements=PLACEMENTS,
    )


def _page(request: Request) -> int:
    """Return the asked page, within bounds; nonsense is the first page."""
    value = request.query_params.get("page", "1")
    return min(max(int(value), 1), MAX_PAGE) if value.isdecimal() else 1


ROUTES: list[Any] = [home, category, search, product]
