"""The pages' templates: Jinja2, everything escaped, undefined names are errors; and the headers they are sent with."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Response
from markupsafe import Markup

from app import __version__
from app.reporting.charts import WIDTH
from app.reporting.span import LENGTHS

HTML = "text/html"  # the framework adds the charset of text
FOLDER = Path(__file__).parent / "templates"


class Pages:
    """Draws the pages.

    Args:
        site: where this is.
    """

    def __init__(self, site: str) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        style = Markup(_style())  # noqa: S704 a file of ours
        self._environment.globals.update(style=style, version=__version__, site=site, width=WIDTH, lengths=LENGTHS)

    def page(
        self, template: str, *, status: int = 200, headers: dict[str, str] | None = None, **values: object
    ) -> Response[str]:
        """Return a page."""
        html = self._environment.get_template(template).render(values)
        return Response(html, status_code=status, media_type=HTML, headers=headers or {})


def page_headers(*, https: bool) -> dict[str, str]:
    """Return what every answer is sent with: a page runs nothing and loads nothing; its one style sheet is in it."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    headers = {
        "content-security-policy": f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
        "cache-control": "no-store",
    }
    if https:
        headers["strict-transport-security"] = "max-age=31536000; includeSubDomains"
    return headers


def _style() -> str:
    return (FOLDER / "style.css").read_text()
