"""Persons who were erased, and sessions that were ended, after the time of the copy are not in it any more."""

from runbooks.putting_in_place.erasing import SECONDS as REMOVAL_SECONDS
from runbooks.putting_in_place.erasing import remove_again, require_known, require_none_left
from runbooks.putting_in_place.replacement import REPLACE, UNDO, Replacement
from shopsphere.estate.databases import COMMERCE

TITLE = "Erase again whom the live database has erased since, and end sessions that it has ended"
SECONDS = 3 * REMOVAL_SECONDS
VARIANTS = frozenset({REPLACE, UNDO})


def check(run: Replacement) -> str:
    """Say what is erased again; refuse where nobody knows it."""
    if run.model is not COMMERCE:
        return f"{run.live} has no persons and no sessions"
    require_known(run.leading(), run.live, accepted=run.erasures_unknown)
    return "before it is live; those of the seconds of the swap follow it"


def act(run: Replacement) -> None:
    """Do it, and see that nothing is left of it."""
    leading = run.leading()
    remove_again(leading, run.live, run.coming, run.moment)
    require_none_left(leading, run.live, run.coming, run.moment)
    run.remember("erased", run.coming)


def verify(run: Replacement) -> bool:
    """It was done in this run; what is erased later, a later step looks at."""
    return run.model is not COMMERCE or run.recall("erased") == run.coming or run.is_swapped()
