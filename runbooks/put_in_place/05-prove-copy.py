"""What was loaded is what the copy has: every row of every table, definitions, owners and rights."""

from runbooks.putting_in_place.loading import COMPARE_SECONDS, PROVEN, prove
from runbooks.putting_in_place.replacement import REPLACE, Replacement

TITLE = "Prove that it was loaded whole: rows, definitions, owners, rights"
SECONDS = COMPARE_SECONDS
VARIANTS = frozenset({REPLACE})


def check(run: Replacement) -> str:
    """Say what is compared."""
    return (
        f"a sum over all rows of each table, and all definitions, of the copy and of {run.coming} have to be the same"
    )


def act(run: Replacement) -> None:
    """Compare."""
    prove(run.leading(), run.held_copy)


def verify(run: Replacement) -> bool:
    """It says of itself that it was proven, or is live."""
    return run.has_come_to(PROVEN)
