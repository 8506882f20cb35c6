"""`shop render-media`: writes every file that the CDN carries, under names that change with the content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from app.catalogue.seed.model import Colour, SeededProduct
from app.catalogue.seed.motifs import MOTIFS
from app.catalogue.seed.palette import COLOURS
from app.catalogue.seed.products import products
from app.media.devices import Device, draw_device
from app.media.garments import draw_garment

STATIC = Path(__file__).parent.parent / "static"
MANIFEST = "manifest.json"
DIGEST = 12  # characters of SHA-256 in a name
_DRAWINGS = {motif.slug: motif.drawing for motif in MOTIFS}


def render(directory: Path) -> int:
    """Write all files and, last of all, the manifest; return how many files there are."""
    names: dict[str, str] = {}
    for logical, content in _files():
        digest = hashlib.sha256(content).hexdigest()[:DIGEST]
        folder, _, name = logical.partition("/")
        stem, _, suffix = name.rpartition(".")
        names[logical] = f"{folder}/{stem}.{digest}.{suffix}"
        target = directory / names[logical]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    manifest = directory / MANIFEST
    draft = manifest.with_suffix(".draft")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(names, order="sorted")))
    draft.replace(manifest)
    return len(names)


def render_if_missing(directory: Path) -> None:
    """Render for development; an image brings its files along."""
    if not (directory / MANIFEST).exists():
        render(directory)


def _files() -> Iterator[tuple[str, bytes]]:
    for source in sorted(STATIC.iterdir()):
        content = source.read_bytes()
        yield f"static/{source.name}", content + _swatches() if source.name == "shop.css" else content
    for product in products():
        for colour in product.colours:
            yield f"media/{product.picture(colour)}.svg", _picture(product, colour).encode()


def _picture(product: SeededProduct, colour: Colour) -> str:
    title = f"{product.name} in {colour.title}"
    if product.motif:
        return draw_garment(product.shape, colour.hex, _DRAWINGS[product.motif], title=title, variety=product.variety)
    return draw_device(Device(product.shape, colour.hex, product.variety), title=title)


def _swatches() -> bytes:
    """Return styles per colour (pages carry none inline): the swatch, and which picture a chosen colour shows."""
    swatches = "".join(f".swatch-{slug}{{--swatch:{colour.hex}}}\n" for slug, colour in COLOURS.items())
    chosen = ",".join(f".product:has(#colour-{slug}:checked) .shot-{slug}" for slug in COLOURS)
    return (
        f"{swatches}@supports selector(:has(a)){{.product .shot:first-child{{display:none}}"
        f"{chosen}{{display:block}}}}\n"
    ).encode()
