"""`shop render-media`: writes every file that the CDN carries, under names that change with the content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from app.catalogue.seed.palette import COLOURS
from app.catalogue.seed.products import products
from app.media import motif_sheet
from app.media.designs import Design, draw, usual

STATIC = Path(__file__).parent.parent / "static"
MANIFEST = "manifest.json"
DIGEST = 12  # characters of SHA-256 in a name


def render(directory: Path) -> int:
    """Write all files and, last of all, the manifest; return how many files there are."""
    names: dict[str, str] = {}
    for logical, content in _files():
        names[logical] = _hashed(logical, content)
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


def _hashed(logical: str, content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()[:DIGEST]
    folder, _, name = logical.partition("/")
    stem, _, suffix = name.rpartition(".")
    return f"{folder}/{stem}.{digest}.{suffix}"


def _files() -> Iterator[tuple[str, bytes]]:
    motifs = motif_sheet.draw_sheet().encode()
    yield motif_sheet.SHEET, motifs
    for source in sorted(STATIC.iterdir()):
        content = _plain(source.read_text()) if source.suffix == ".js" else source.read_bytes()
        if source.name == "shop.css":
            content += _swatches() + motif_sheet.styles(f"../{_hashed(motif_sheet.SHEET, motifs)}").encode()
        yield f"static/{source.name}", content
    for product in products():
        for colour in product.colours:
            picture = draw(Design(product, colour, *usual(product)))
            yield f"media/{product.picture(colour)}.svg", picture.encode()


def _plain(script: str) -> bytes:
    """Return a script without lines of comment and indentation; no text of our scripts is longer than a line."""
    lines = (line.strip() for line in script.splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("//")).encode()


def _swatches() -> bytes:
    """Return styles per colour (pages carry none inline): the swatch, and which picture a chosen colour shows."""
    swatches = "".join(f".swatch-{slug}{{--swatch:{colour.hex}}}\n" for slug, colour in COLOURS.items())
    chosen = ",".join(f".product:has(#colour-{slug}:checked) .shot-{slug}" for slug in COLOURS)
    return (
        f"{swatches}@supports selector(:has(a)){{.product .shot:first-child{{display:none}}"
        f"{chosen}{{display:block}}}}\n"
    ).encode()
