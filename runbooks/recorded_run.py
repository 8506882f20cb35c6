"""How a run begins and ends, whichever runbook it is of: its folder, its journal, and its lines in the audit log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from runbooks.engine import Journal, RunFacts, RunRecord, StepFailedError, WriteFailedError
from runbooks.engine.crash import Crash
from shopsphere.estate.paths import require_records_directory
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import one_line
from shopsphere.foundation.progress import say

AUDIT_END, REPORT = "its end in the audit log", "its report"
"""What is left to be written of a change that is made."""


def records_for_a_run(environment: Environment) -> Path:
    """Return the folder of an environment's records, in which a run may begin.

    Raises:
        ShopSphereError: this user cannot write there.
        UsageError: production, and the variable that kills runs in tests is set.
    """
    if environment is Environment.PROD:
        Crash.refuse()
    return require_records_directory(environment)


def opened_journal(directory: Path, facts: RunFacts, left: RunRecord | None) -> Journal:
    """Return the journal of an unfinished run, to go on with, or of a new one.

    Raises:
        BusyError: another process is at the run, or begins one.
        JournalError: a journal in the folder is damaged.
        WriteFailedError: the folder or the line could not be written.
    """
    return Journal.resume(left.path, actor=facts.actor) if left else Journal.start(directory, facts)


@contextmanager
def noted(journal: Journal, who: str, note: Callable[[str], object]) -> Iterator[None]:
    """Note the beginning of what is done inside, and its end, or that it was stopped.

    A refusal is no unfinished change: a run that changed nothing ends with it. What is done stays done where its end
    cannot be noted.

    Args:
        journal: of the run.
        who: carries it out.
        note: writes `begin`, `stop` or `end` into the audit log.
    """
    note("begin")
    try:
        yield
    except StepFailedError as error:
        note("stop")
        if not journal.touched:
            journal.abandon(actor=who, reason=f"this run changed nothing: {one_line(error)}")
        raise
    kept_or_said(AUDIT_END, lambda: note("end"))


def kept_or_said(what: str, write: Callable[[], object]) -> None:
    """Write what is left to be written of a change that is made; where that fails, say so instead of failing.

    The journal has ended: whoever was told to repeat the command would begin the change anew, or move the pair back.

    Args:
        what: is written, as in `its report`.
        write: does it.
    """
    try:
        write()
    except (WriteFailedError, OSError) as error:
        why = error.__cause__ if isinstance(error.__cause__, OSError) else error
        say(f"warning: the change is made, do not repeat it; but {what} could not be written: {one_line(why)}")
