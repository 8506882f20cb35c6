"""What the database before had removed in the seconds until the swap is removed from the new one, too."""

from runbooks.putting_in_place.erasing import SECONDS as REMOVAL_SECONDS
from runbooks.putting_in_place.erasing import remove_again, require_none_left
from runbooks.putting_in_place.replacement import REPLACE, UNDO, Replacement
from shopsphere.estate.databases import COMMERCE

TITLE = "Erase again whom the database before has erased in its last seconds"
SECONDS = 3 * REMOVAL_SECONDS
VARIANTS = frozenset({REPLACE, UNDO})


def check(run: Replacement) -> str:
    """Say of whom."""
    return f"whom {run.aside} has erased, {run.live} has not" if run.model is COMMERCE else "a ledger has no persons"


def act(run: Replacement) -> None:
    """Do it, and see that nobody is left; nothing is written into the database before any more."""
    leading = run.leading()
    remove_again(leading, run.aside, run.live, run.moment)
    require_none_left(leading, run.aside, run.live, run.moment)
    run.remember("erased last", run.coming)


def verify(run: Replacement) -> bool:
    """It was done in this run."""
    return run.model is not COMMERCE or run.recall("erased last") == run.coming
