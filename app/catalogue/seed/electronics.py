"""Luxury electronics: makers' lines of each kind of device."""

from __future__ import annotations

from dataclasses import dataclass

from app.catalogue.seed.model import Category, SeededProduct, Size
from app.catalogue.seed.palette import colours

# Makers and models are invented.
_MAKERS = ("Aurel", "Halden", "Norrland", "Osei & Finch", "Vantis", "Kestrel", "Maison Lune", "Tsubaki")
_SERIES = (("One", 100), ("Studio", 135))
_FINISHES = (
    colours("graphite", "silver", "champagne"),
    colours("porcelain", "midnight", "copper"),
    colours("midnight", "silver", "copper"),
    colours("champagne", "graphite", "porcelain"),
)


@dataclass(frozen=True, slots=True)
class Device:
    """A kind of device: what it is for, what it can do and what it costs at its plainest."""

    shape: str
    category: Category
    noun: str
    taglines: tuple[str, str, str, str]
    pitch: str
    details: dict[str, str]
    sizes: tuple[Size, ...]
    euro: int


DEVICES = (
    Device(
        "headphones",
        Category("headphones", "electronics", "Headphones", "Quiet, built by hand"),
        "Headphones",
        (
            "Silence with a warm voice",
            "Every breath of the singer",
            "Forty hours away from the city",
            "Leather, steel and air",
        ),
        "Planar drivers in milled aluminium, ear cushions of vegetable-tanned leather and a "
        "noise filter that leaves voices alone.",
        {"Drivers": "52 mm planar magnetic", "Battery": "40 h, USB-C", "Weight": "286 g"},
        (Size("Standard"),),
        549,
    ),
    Device(
        "earbuds",
        Category("earbuds", "electronics", "Earbuds", "Small things, tuned"),
        "Earbuds",
        ("Disappears in the ear", "A concert in a pebble", "Made for night trains", "Tuned by one pair of ears"),
        "A ceramic shell shaped after four thousand ears, with a case that closes like a good car door.",
        {"Drivers": "11 mm dynamic", "Battery": "8 h + 24 h in the case", "Water": "IPX5"},
        (Size("Standard"),),
        289,
    ),
    Device(
        "watch",
        Category("watches", "electronics", "Watches", "Time, well kept"),
        "Watch",
        (
            "A week on one charge",
            "Reads like a dial, thinks like a lab",
            "Sapphire over starlight",
            "The quiet kind of clever",
        ),
        "A display behind domed sapphire that looks like enamel, in a case turned from one bar of steel.",
        {"Glass": "Domed sapphire", "Battery": "7 days", "Water": "10 bar"},
        (Size("40 mm"), Size("44 mm", 8)),
        690,
    ),
    Device(
        "speaker",
        Category("speakers", "electronics", "Speakers", "Rooms that sing"),
        "Speaker",
        (
            "Fills the room, takes no space",
            "Walnut, wool and bass",
            "Sounds like the record was meant to",
            "Standing still, moving air",
        ),
        "A sealed cabinet of pressed birch under a woollen front, with two amplifiers that "
        "know the room they stand in.",
        {"Power": "2 amplifiers of 80 W", "Cabinet": "Pressed birch, wool", "Inputs": "Network, optical, line"},
        (Size("Single"), Size("Stereo pair", 90)),
        799,
    ),
    Device(
        "phone",
        Category("phones", "electronics", "Phones", "Fewer things, done better"),
        "Phone",
        (
            "The calm one",
            "A camera that makes calls",
            "Glass on both sides, sense in between",
            "Holds a day and a half",
        ),
        "A ceramic body that stays cool in the hand, five years of updates, and a screen that "
        "goes grey when you ask it to.",
        {"Display": "6.2 in, 1-120 Hz", "Camera": "50 MP, 1 in sensor", "Updates": "5 years"},
        (Size("256 GB"), Size("512 GB", 12), Size("1 TB", 28)),
        1190,
    ),
    Device(
        "tablet",
        Category("tablets", "electronics", "Tablets", "Paper, nearly"),
        "Tablet",
        ("Draws like paper", "A desk that fits a bag", "For scores, sketches and scripts", "Thin as a good idea"),
        "An etched screen with the tooth of drawing paper and a pencil that never needs charging.",
        {"Display": "12.4 in, etched glass", "Pencil": "Included, passive", "Weight": "412 g"},
        (Size("256 GB"), Size("1 TB", 30)),
        1090,
    ),
    Device(
        "laptop",
        Category("laptops", "electronics", "Laptops", "Work that stays quiet"),
        "Laptop",
        ("No fan, no fuss", "A studio in 1.1 kilograms", "Keys worth writing on", "Opens with one finger"),
        "A fanless machine in recycled magnesium with a keyboard of 1.6 mm travel and a "
        "battery that you can replace yourself.",
        {"Display": "14 in, 2880 by 1920", "Battery": "18 h, replaceable", "Weight": "1.1 kg"},
        (Size("32 GB · 1 TB"), Size("64 GB · 2 TB", 24)),
        2290,
    ),
    Device(
        "camera",
        Category("cameras", "electronics", "Cameras", "Made for looking"),
        "Camera",
        ("One lens, many evenings", "Slow on purpose", "Sees what you meant", "A rangefinder for now"),
        "A full-frame camera with three dials and no menu worth the name, machined from brass "
        "that will show its years.",
        {"Sensor": "47 MP full frame", "Lens": "35 mm f/2", "Body": "Brass, leather"},
        (Size("With 35 mm"), Size("With 35 and 90 mm", 42)),
        3450,
    ),
    Device(
        "turntable",
        Category("turntables", "electronics", "Turntables", "The long way round"),
        "Turntable",
        ("The ritual, perfected", "Mass, balance, music", "Side A to side B", "Quiet as snow between tracks"),
        "A belt drive on a plinth of slate with a tonearm of carbon fibre, set up by ear before it leaves us.",
        {"Drive": "Belt, 33 and 45", "Tonearm": "9 in carbon fibre", "Plinth": "Slate"},
        (Size("Standard"),),
        1650,
    ),
    Device(
        "lamp",
        Category("lamps", "electronics", "Lamps", "Light that knows the hour"),
        "Lamp",
        ("Follows the evening down", "A small sun for the desk", "Light with manners", "Reads with you"),
        "A lamp with a spectrum that follows the day, a counterweight of solid brass and a dimmer without steps.",
        {"Light": "1,100 lm, CRI 98", "Colour": "1,800-5,000 K", "Body": "Brass, spun aluminium"},
        (Size("Standard"),),
        420,
    ),
)


def electronics() -> list[SeededProduct]:
    """Return each maker's two series of each device."""
    products = []
    for row, device in enumerate(DEVICES):
        for index, maker in enumerate(_MAKERS):
            for step, (series, percent) in enumerate(_SERIES):
                products.append(
                    _built(device, maker, series, percent + index * 6, row + index + step, index * 2 + step)
                )
    return products


def _built(device: Device, maker: str, series: str, percent: int, turn: int, variety: int) -> SeededProduct:
    euro = round(device.euro * percent / 1000) * 10 + 9  # prices end in 9
    name = f"{maker} {series} {device.noun}"
    return SeededProduct(
        slug=name.lower().replace(" & ", "-").replace(" ", "-"),
        category=device.category,
        name=name,
        tagline=device.taglines[turn % len(device.taglines)],
        description=(
            f"{device.pitch} {maker} builds the {series} in small series; each one is listened to, "
            "looked at and signed before "
            "it leaves the bench. On request we engrave up to 24 letters, at no charge."
        ),
        details={**device.details, "Warranty": "5 years, repairs in your region"},
        colours=_FINISHES[turn % len(_FINISHES)],
        sizes=device.sizes,
        prices={"EUR": euro},
        ends_in_nine=True,
        shape=device.shape,
        motif="",
        variety=variety,
        featured=variety == 1 and device.shape in {"headphones", "camera", "turntable", "watch", "speaker", "lamp"},
    )
