"""Shows the legal pages."""

from __future__ import annotations

from typing import Any

from litestar import Response, get
from litestar.exceptions import NotFoundException

from app.web.services import Request, services_of
from app.web.visitors import visitor_of


@get("/legal/{slug:str}")
async def legal(request: Request, slug: str) -> Response[Any]:
    """Show one of them."""
    services = services_of(request)
    page = services.legal.by_slug.get(slug)
    if page is None:
        raise NotFoundException(detail="no such page")
    return services.templates.page(page.template, visitor=await visitor_of(request), page=page)


ROUTES: list[Any] = [legal]
