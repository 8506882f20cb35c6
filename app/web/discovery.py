"""What machines ask a shop for: robots.txt, sitemap.xml, favicon.ico."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from litestar import Response, get

from app.catalogue import repository
from app.web.services import Request, services_of

AN_HOUR = {"cache-control": "public, max-age=3600", "vary": "accept-encoding"}
PERSONAL = ("/account", "/cart", "/checkout", "/orders", "/search")
"""Pages that are somebody's own, or without end; they say "noindex" too."""


@get("/robots.txt", sync_to_thread=False)
def robots(request: Request) -> Response[str]:
    """Say what search engines may read, and where the list of all pages is."""
    closed = "".join(f"Disallow: {path}\n" for path in PERSONAL)
    public = services_of(request).settings.public_url
    text = f"User-agent: *\n{closed}Allow: /\n\nSitemap: {public}/sitemap.xml\n"
    return Response(text, media_type="text/plain", headers=AN_HOUR)


@get("/sitemap.xml")
async def sitemap(request: Request) -> Response[str]:
    """List every page that is everybody's."""
    services = services_of(request)
    paths = [
        "/",
        *(f"/categories/{shelf.slug}" for shelf in services.shelves.all),
        *(f"/products/{slug}" for slug in await repository.on_sale(services.commerce)),
        *(page.path for page in services.legal.all),
    ]
    entries = "".join(f"<url><loc>{escape(services.settings.public_url + path)}</loc></url>\n" for path in paths)
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{entries}</urlset>\n'
    )
    return Response(text, media_type="application/xml", headers=AN_HOUR)


@get("/favicon.ico", sync_to_thread=False)
def favicon(request: Request) -> Response[bytes]:
    """Return the shop's mark for what does not read the page's own link."""
    return Response(
        services_of(request).assets.bytes_of("static/favicon.ico"), media_type="image/x-icon", headers=AN_HOUR
    )


ROUTES: list[Any] = [robots, sitemap, favicon]
