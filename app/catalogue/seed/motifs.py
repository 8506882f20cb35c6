"""The archive of prints: names and stories. How each one is drawn is in app/media/prints."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Motif:
    """A print of the archive."""

    slug: str
    title: str
    drawing: str  # name of the function in app.media.prints
    tagline: str
    story: str


MOTIFS = tuple(
    Motif(title.lower().replace(" ", "-").replace("'", ""), title, drawing, tagline, story)
    for title, drawing, tagline, story in (
        ("Tidal Rings", "rings", "Circles that never quite meet", "Drawn from tide tables of a North Sea harbour."),
        ("Growth Rings", "rings", "A tree's diary", "Every ring is one summer of an old larch."),
        (
            "Low Sun",
            "sunrise",
            "The last ten minutes of light",
            "A disc cut by the horizon, as seen from a slow train.",
        ),
        ("Retro Sunrise", "sunrise", "1974, six in the morning", "Five stripes and a promise of good weather."),
        ("Ridge Line", "mountains", "Four ridges, one path", "Layered from a panorama sketched on the way up."),
        ("Northern Range", "mountains", "Cold air, clear edges", "Peaks as they look in the half hour before snow."),
        ("Long Swell", "waves", "A sea in no hurry", "Lines of a swell that has travelled for three days."),
        ("Night Ferry", "waves", "The wake under the moon", "What is left of a ship, seen from its stern."),
        ("Quarter Turn", "bauhaus", "Nine tiles, one rule", "Each tile is its neighbour, turned by a quarter."),
        ("Weimar Blocks", "bauhaus", "School exercise, 1923", "A colour exercise that never left the wall."),
        ("Lyra", "constellation", "A harp in the summer sky", "The constellation as sailors draw it."),
        ("Orion Rising", "constellation", "Winter comes up in the east", "Seven stars and the lines between them."),
        ("Moon Phases", "moon", "Twenty-nine days in a row", "From new to new, as printed in almanacs."),
        ("Eclipse", "moon", "Totality, four minutes", "The shadow's way across the disc."),
        ("Olive Branch", "branch", "Peace, and lunch", "Pressed between two pages and traced by hand."),
        ("Fern Study", "branch", "From a botanist's notebook", "One frond, counted leaf by leaf."),
        ("Dahlia", "flower", "Forty petals, no hurry", "A dahlia in full opening, seen from above."),
        ("Marigold", "flower", "The garden's lantern", "Petals in three rings, the way they unfold."),
        ("Orbit Study", "orbits", "Three bodies, one problem", "Ellipses from a page of Kepler's reckoning."),
        ("Guilloche", "orbits", "The pattern on old banknotes", "Turned on a rose engine, line by line."),
        ("Night Shift", "city", "Lights on the eleventh floor", "A skyline at three, when only some are awake."),
        ("Old Harbour", "city", "Gables in a row", "Warehouses along a quay, drawn from the water."),
        ("Contour", "contour", "A hill for people who read maps", "Height lines of a hill nobody has named."),
        ("High Valley", "contour", "Where the map gets crowded", "Contours close together: mind your step."),
        ("Side A", "cassette", "Forty-six minutes of summer", "The tape that was in every glove box."),
        ("Mixtape", "cassette", "Made for one person", "Labelled by hand, rewound with a pencil."),
        ("Halftone", "halftone", "Dots that make a sphere", "An old printer's trick, enlarged until it shows."),
        ("Solar Grain", "halftone", "The sun, in dots", "A photograph of the sun, reduced to its shadows."),
        ("Seventies Arc", "arcs", "Rainbows, before they were loud", "Four arcs in the colours of a camper van."),
        ("Signal", "arcs", "Good reception", "Waves that leave a mast and find you."),
        ("Op Fold", "checks", "Look twice", "A chequered cloth that seems to breathe."),
        ("Grandmaster", "checks", "White to move", "A board seen by someone who is losing."),
        ("Shoal", "shoal", "Everyone turns at once", "Fish that agree without talking."),
        ("Migration", "birds", "South, by heart", "Birds in the order that saves them strength."),
        ("Tumbling Blocks", "cubes", "A quilt from 1850", "Cubes that step forward or back, as you like."),
        ("Honeycomb", "cubes", "Built without a plan", "Hexagons, the bees' own answer."),
    )
)
