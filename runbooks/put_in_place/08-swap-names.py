"""The database that was restored, or was kept, is the live one; the one before is kept beside it."""

from runbooks.engine.errors import BlockedError
from runbooks.putting_in_place.replacement import REPLACE, UNDO, Replacement
from runbooks.putting_in_place.swapping import ATTEMPTS, EXEC_SECONDS, swap_names

TITLE = "Swap the names of both databases in one transaction"
SECONDS = 60 + ATTEMPTS * EXEC_SECONDS
VARIANTS = frozenset({REPLACE, UNDO})


def check(run: Replacement) -> str:
    """Say which names."""
    return f"{run.live} becomes {run.aside}, {run.coming} becomes {run.live}; sessions end, new ones wait for seconds"


def act(run: Replacement) -> None:
    """Keep everybody from moving the pair, look at the witness once more, and swap."""
    with run.alone() as lock:
        record = run.require_steady(own=True)
        leading = run.leading_at(record.active)
        _require_there(run, set(leading.databases()))
        run.require_lock()
        if lock:
            lock.confirm()
        swap_names(leading, run.swap())


def verify(run: Replacement) -> bool:
    """The names are those of afterwards."""
    return run.is_swapped()


def _require_there(run: Replacement, there: set[str]) -> None:
    if run.coming not in there and not {run.live, run.aside} <= there:
        raise BlockedError.because(
            f"there is no database {run.coming} to take the place of {run.live}; there are {', '.join(sorted(there))}",
            action=f"`{run.verb}` says what there is",
        )
