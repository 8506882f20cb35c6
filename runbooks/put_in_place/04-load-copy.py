"""The copy is a database of the leading instance, which nobody but the administrator may enter."""

from runbooks.putting_in_place.loading import LOAD_SECONDS, LOADED, load
from runbooks.putting_in_place.replacement import REPLACE, Replacement

TITLE = "Load the copy beside the live database, which goes on taking orders"
SECONDS = LOAD_SECONDS
VARIANTS = frozenset({REPLACE})


def check(run: Replacement) -> str:
    """Say where it goes."""
    return f"{run.leading().name} gets a database {run.coming}; one of that name that is not whole is dropped first"


def act(run: Replacement) -> None:
    """Drop what is half of it, and load."""
    run.require_steady()
    load(run.leading(), run.held_copy)


def verify(run: Replacement) -> bool:
    """It says of itself that it was loaded to its end, or is live."""
    return run.has_come_to(LOADED)
