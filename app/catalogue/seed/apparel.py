"""Printed apparel: each garment with each print."""

from __future__ import annotations

from dataclasses import dataclass

from app.catalogue.seed.model import Category, Colour, SeededProduct, Size
from app.catalogue.seed.motifs import MOTIFS, Motif
from app.catalogue.seed.palette import colours

_BODY_SIZES = tuple(Size(title) for title in ("XS", "S", "M", "L", "XL", "XXL"))
_ONE_SIZE = (Size("One size"),)


@dataclass(frozen=True, slots=True)
class Garment:
    """A blank that we print on."""

    shape: str
    category: Category
    title: str
    fabric: str
    cut: str
    care: str
    prices: dict[str, int]
    sizes: tuple[Size, ...]
    palette: tuple[tuple[Colour, ...], ...]  # taken in turn, so that a shelf is not all one colour


def _euro(amount: int, dollars: int, singapore: int) -> dict[str, int]:
    return {"EUR": amount, "USD": dollars, "SGD": singapore}


_FEATURED = {0: ("tee", "sweatshirt", "hoodie", "tote"), 3: ("tee", "hoodie")}  # place on the shelf: garments

_WARM = colours("chalk", "clay", "ink", "butter")
_COOL = colours("sky", "ink", "chalk", "ocean")
_EARTH = colours("sand", "moss", "chalk", "plum")
_SOFT = colours("rose", "chalk", "slate", "sage")
_DEEP = colours("ink", "chalk", "ocean", "clay")
_GREEN = colours("sage", "chalk", "moss", "ink")
_ALL = (_WARM, _DEEP, _COOL, _EARTH, _SOFT, _GREEN)

GARMENTS = (
    Garment(
        "tee",
        Category("t-shirts", "apparel", "T-shirts", "Heavy cotton, soft prints"),
        "Tee",
        "220 g/m² combed organic cotton",
        "Relaxed, with a ribbed collar that keeps its shape",
        "Wash at 30 °C, inside out",
        _euro(39, 42, 59),
        _BODY_SIZES,
        _ALL,
    ),
    Garment(
        "longsleeve",
        Category("long-sleeves", "apparel", "Long sleeves", "For the days between seasons"),
        "Long Sleeve",
        "210 g/m² organic cotton jersey",
        "Straight, with cuffs of two-ply rib",
        "Wash at 30 °C, inside out",
        _euro(49, 54, 75),
        _BODY_SIZES,
        _ALL,
    ),
    Garment(
        "sweatshirt",
        Category("sweatshirts", "apparel", "Sweatshirts", "Loop-back fleece, cut wide"),
        "Sweatshirt",
        "380 g/m² loop-back fleece",
        "Boxy, with dropped shoulders",
        "Wash at 30 °C, dry flat",
        _euro(79, 85, 119),
        _BODY_SIZES,
        _ALL,
    ),
    Garment(
        "hoodie",
        Category("hoodies", "apparel", "Hoodies", "A hood that stands up by itself"),
        "Hoodie",
        "420 g/m² brushed fleece",
        "Relaxed, with a lined double hood",
        "Wash at 30 °C, dry flat",
        _euro(89, 95, 135),
        _BODY_SIZES,
        _ALL,
    ),
    Garment(
        "polo",
        Category("polos", "apparel", "Polos", "Piqué, printed small"),
        "Polo",
        "200 g/m² cotton piqué",
        "Regular, with a soft two-button placket",
        "Wash at 40 °C",
        _euro(55, 59, 82),
        _BODY_SIZES,
        _ALL,
    ),
    Garment(
        "tank",
        Category("tank-tops", "apparel", "Tank tops", "Light, for heat and sport"),
        "Tank",
        "160 g/m² cotton and lyocell",
        "Slim, with narrow straps",
        "Wash at 30 °C",
        _euro(32, 35, 48),
        _BODY_SIZES,
        _ALL,
    ),
    Garment(
        "kids",
        Category("kids", "apparel", "Kids", "Small sizes, tough seams"),
        "Kids' Tee",
        "180 g/m² organic cotton",
        "Roomy, with flat seams",
        "Wash at 40 °C",
        _euro(25, 27, 38),
        tuple(Size(title) for title in ("2-3 y", "4-5 y", "6-7 y", "8-9 y", "10-11 y")),
        _ALL,
    ),
    Garment(
        "tote",
        Category("totes", "apparel", "Totes", "Carries a week of groceries"),
        "Tote",
        "340 g/m² cotton canvas",
        "42 by 38 cm, handles long enough for a shoulder",
        "Wipe clean, or wash cold",
        _euro(27, 29, 42),
        _ONE_SIZE,
        _ALL,
    ),
    Garment(
        "cap",
        Category("caps", "apparel", "Caps", "Six panels, one print"),
        "Cap",
        "Brushed cotton twill",
        "Low crown, curved brim, brass buckle",
        "Clean by hand",
        _euro(34, 36, 52),
        _ONE_SIZE,
        _ALL,
    ),
    Garment(
        "apron",
        Category("aprons", "apparel", "Aprons", "For people who cook in earnest"),
        "Apron",
        "300 g/m² washed linen and cotton",
        "Cross-back, with two deep pockets",
        "Wash at 60 °C",
        _euro(59, 64, 89),
        _ONE_SIZE,
        _ALL,
    ),
)


def apparel() -> list[SeededProduct]:
    """Return each garment with each print, in an order that mixes prints on a shelf."""
    products = []
    for row, garment in enumerate(GARMENTS):
        for index in range(len(MOTIFS)):
            motif = MOTIFS[(index * 7 + row * 5) % len(MOTIFS)]  # 7 has no divisor in common with the number of prints
            products.append(_printed(garment, motif, garment.palette[(index + row) % len(garment.palette)], index))
    return products


def _printed(garment: Garment, motif: Motif, palette: tuple[Colour, ...], index: int) -> SeededProduct:
    name = f"{motif.title} {garment.title}"
    return SeededProduct(
        slug=f"{motif.slug}-{garment.shape}",
        category=garment.category,
        name=name,
        tagline=motif.tagline,
        description=(
            f"{motif.story} Printed to order on {garment.fabric[0].lower() + garment.fabric[1:]}, "
            "in the region where you "
            f"live. {garment.cut}. Keep the print as it is, take another from our archive, or have "
            "your own words set beneath it."
        ),
        details={
            "Fabric": garment.fabric,
            "Cut": garment.cut,
            "Print": "Water-based pigment, cured at 160 °C",
            "Care": garment.care,
            "Made": "Printed to order within two working days",
        },
        colours=palette,
        sizes=garment.sizes,
        prices=garment.prices,
        ends_in_nine=False,
        shape=garment.shape,
        motif=motif.slug,
        variety=index,
        featured=garment.shape in _FEATURED.get(index, ()),
    )
