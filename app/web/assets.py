"""Static files and pictures: content-hashed names for the pages, bytes for the CDN.

`shop render-media` wrote them together with manifest.json, which maps logical names to names with a digest of their
content. This process is the CDN's origin. A name that this release does not know is not there: anything else would let
a stranger fill the CDN with made-up names of one file. While old and new pods run side by side, a page of one may ask
for a file of the other; "not there" is a page that nobody keeps, so that the next try can reach a pod that has it.

Pages say of each script and style sheet which bytes they expect (`integrity`): what carries them is a public cloud.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import msgspec
from litestar import Response, get
from litestar.exceptions import NotFoundException

from app.errors import ShopError

FOR_EVER = "public, max-age=31536000, immutable"
_TYPES = {
    ".svg": "image/svg+xml",
    ".css": "text/css",
    ".js": "text/javascript",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain",
}
_GUARDED = (".css", ".js")


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
        self._integrity = {
            logical: _digest((directory / path).read_bytes())
            for logical, path in self._paths.items()
            if logical.endswith(_GUARDED)
        }

    def url(self, logical: str) -> str:
        """Return the public address of `static/shop.css` or `media/<product>-<colour>.svg`."""
        return f"{self._static_url}/{self._paths[logical]}"

    def integrity(self, logical: str) -> str:
        """Return what a page has to say of a script or style sheet, so that browsers take no other bytes."""
        return self._integrity[logical]

    def bytes_of(self, logical: str) -> bytes:
        """Return the content of a file by its logical name."""
        return (self._directory / self._paths[logical]).read_bytes()

    def read(self, folder: str, name: str) -> tuple[bytes, str]:
        """Return content and content type of a file.

        Raises:
            NotFoundException: this release has no such file.
        """
        path = f"{folder}/{name}"
        if path not in self._known:
            raise NotFoundException(detail="no such file")
        return (self._directory / path).read_bytes(), _TYPES[Path(path).suffix]


def _digest(content: bytes) -> str:
    return "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode()


def asset_response(assets: Assets, folder: str, name: str) -> Response[bytes]:
    """Return a static file with what the CDN and browsers need to keep it."""
    content, media_type = assets.read(folder, name)
    return Response(
        content,
        media_type=media_type,
        headers={
            "cache-control": FOR_EVER,
            "vary": "accept-encoding",
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
