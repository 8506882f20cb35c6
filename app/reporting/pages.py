"""The pages: figures with pictures, and the privacy budget."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Response, get

from app.database import Database
from app.export.budget import DAY_RHO_MICRO, DELTA, MICRO, MONTH_RHO_MICRO, epsilon
from app.reporting import views
from app.reporting.figures import figures_of
from app.reporting.files import NAMES
from app.reporting.reading import read, spent
from app.reporting.span import span_of
from app.reporting.templating import Pages
from app.web.requests import Request


def page_routes(database: Database, pages: Pages, names: Mapping[int, str]) -> list[Any]:
    """Return the routes of the pages.

    Args:
        database: headquarters'.
        pages: draws them.
        names: of regions by their numbers.
    """

    @get("/")
    async def figures(request: Request) -> Response[str]:
        span = span_of(request.query_params)
        reading = await read(database, span)
        regions = figures_of(reading, names)
        return pages.page(
            "report.html",
            staff=request.state["staff"],
            here="/",
            span=span,
            summary=views.summary(regions),
            regions=[views.region_view(each, reading) for each in regions],
            completeness=views.completeness(regions),
            files=NAMES,
        )

    @get("/budget")
    async def budget(request: Request) -> Response[str]:
        span = span_of(request.query_params)
        return pages.page(
            "budget.html",
            staff=request.state["staff"],
            here="/budget",
            span=span,
            grid=views.budget(await spent(database, span.last), names),
            day_rho=f"{DAY_RHO_MICRO / MICRO:g}",
            month_rho=f"{MONTH_RHO_MICRO / MICRO:g}",
            delta=f"{DELTA:g}",
            day_epsilon=f"{epsilon(DAY_RHO_MICRO):.2f}",
        )

    return [figures, budget]
