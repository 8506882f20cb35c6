"""Static files and pictures: content-hashed names for the pages, bytes for the CDN.

`shop render-media` wrote them together with manifest.json, which maps logical names to names with a digest of their
content. This process is the CDN's origin. While old and new pods run side by side, a page of one may ask for a file
of the other: then this pod's version of the same logical file is served, to be kept for a minute instead of a year.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
from litestar import Response, get
from litestar.exceptions import NotFoundException

from app.errors import ShopError

FOR_EVER = "public, max-age=31536000, immutable"
BRIEFLY = "public, max-age=60"
_TYPES = {
    ".svg": "image/svg+xml",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
_HASHED = re.compile(r"^(?P<stem>[a-z0-9-]+)\.[0-9a-f]{12}(?P<suffix>\.[a-z0-9]+)$")


class Assets:
    """The rendered files of this image.

    Raises:
        ShopError: the folder was not rendered.
    """

    def __init__(self, directory: Path, static_url: str) -> None:
        manifest = directory / "manifest.json"
        if not manifest.exists():
            raise ShopError.build(
                "static files are missing",
                expected=f"{manifest}",
                found="no such file",
                action=f"run `shop render-media {directory}`, or point SHOP_RENDERED at the folder that holds them",
            )
        self._directory = directory
        self._static_url = static_url
        self._paths: dict[str, str] = msgspec.json.decode(manifest.read_bytes(), type=dict[str, str])
        self._known = frozenset(self._paths.values())

    def url(self, logical: str) -> str:
        """Return the public address of `static/shop.css` or `media/<product>-<colour>.svg`."""
        return f"{self._static_url}/{self._paths[logical]}"

    def read(self, folder: str, name: str) -> tuple[bytes, str, str]:
        """Return content, content type and Cache-Control of a file.

        Raises:
            NotFoundException: there is no such file, nor one with the same logical name.
        """
        path, cache = f"{folder}/{name}", FOR_EVER
        if path not in self._known:
            match = _HASHED.match(name)
            logical = f"{folder}/{match['stem']}{match['suffix']}" if match else path
            if logical not in self._paths:
                raise NotFoundException(detail="no such file")
            path, cache = self._paths[logical], BRIEFLY
        return (self._directory / path).read_bytes(), _TYPES[Path(path).suffix], cache


def asset_response(assets: Assets, folder: str, name: str) -> Response[bytes]:
    """Return a static file with what the CDN and browsers need to keep it."""
    content, media_type, cache = assets.read(folder, name)
    return Response(
        content,
        media_type=media_type,
        headers={
            "cache-control": cache,
            "access-control-allow-origin": "*",  # fonts and modules are fetched across origins
            "cross-origin-resource-policy": "cross-origin",
            # an SVG that is opened by itself runs nothing
            "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
        },
    )


def asset_routes(assets: Assets) -> list[Any]:
    """Return the two routes that the CDN fetches from."""

    @get("/static/{name:str}", sync_to_thread=False)
    def static(name: str) -> Response[bytes]:
        return asset_response(assets, "static", name)

    @get("/media/{name:str}", sync_to_thread=False)
    def media(name: str) -> Response[bytes]:
        return asset_response(assets, "media", name)

    return [static, media]
