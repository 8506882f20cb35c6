"""Every colour that products come in; the style sheet's swatches are made from this table."""

from __future__ import annotations

from app.catalogue.seed.model import Colour

_TABLE = {
    # garments
    "ink": ("Ink", "#23283a"),
    "chalk": ("Chalk", "#f3ede2"),
    "sage": ("Sage", "#9db096"),
    "clay": ("Clay", "#bd6b4e"),
    "ocean": ("Ocean", "#2f6180"),
    "butter": ("Butter", "#efd28a"),
    "rose": ("Rose", "#dba9a2"),
    "moss": ("Moss", "#525f3f"),
    "slate": ("Slate", "#6d7682"),
    "plum": ("Plum", "#5e3c55"),
    "sand": ("Sand", "#d7c3a2"),
    "sky": ("Sky", "#a8c5d8"),
    # devices
    "graphite": ("Graphite", "#3b3e44"),
    "silver": ("Silver", "#c8cbd0"),
    "midnight": ("Midnight", "#1e2536"),
    "champagne": ("Champagne", "#d8c4a0"),
    "copper": ("Copper", "#b4724c"),
    "porcelain": ("Porcelain", "#ebe8e2"),
}
COLOURS = {slug: Colour(slug, title, value) for slug, (title, value) in _TABLE.items()}


def colours(*slugs: str) -> tuple[Colour, ...]:
    """Return colours by name, in the given order."""
    return tuple(COLOURS[slug] for slug in slugs)
