"""Server-rendered pages: Jinja2, everything escaped, undefined names are errors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Response

from app import __version__
from app.legal.shelf import TEXTS
from app.settings import StorefrontSettings
from app.web.assets import Assets
from app.web.entries import FRESH
from app.web.leading import PERSONAL
from app.web.money import money, plain_amount
from app.web.pictures import Pictures
from app.web.rows import NO_ROWS

HTML = "text/html"  # the framework adds the charset of text


class Templates:
    """Renders the pages of one storefront."""

    def __init__(self, settings: StorefrontSettings, assets: Assets, shared: Mapping[str, object]) -> None:
        self._environment = Environment(
            loader=FileSystemLoader([Path(__file__).parent.parent / "templates", TEXTS]),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        region = settings.region
        self._environment.globals.update(
            region=region,
            site=settings.listen.site,
            version=__version__,
            asset=assets.url,
            integrity=assets.integrity,
            public_url=settings.public_url,
            counts_clicks=settings.counts_clicks,
            recommends=bool(settings.recommender_url),
            rows=NO_ROWS,
            pictures=Pictures(assets.url),
            new_key=lambda: uuid4().hex,
            form=FRESH,
            **shared,
        )
        self._environment.filters["plain_amount"] = lambda amount: plain_amount(amount, region)
        self._environment.filters["money"] = lambda amount: money(amount, region)

    def page(
        self, name: str, *, status: int = 200, headers: dict[str, str] | None = None, **values: object
    ) -> Response[str]:
        """Return a rendered page; pages are personal, so no cache keeps them."""
        html = self._environment.get_template(name).render(values)
        return Response(
            html,
            status_code=status,
            media_type=HTML,
            headers={**PERSONAL, "vary": "accept-encoding", **(headers or {})},
        )
