"""Runs operator runbooks: a folder of step files `NN-verb-object.py`, in order, resumable after a kill.

A step file has `TITLE` (imperative sentence), `SECONDS` (bound on act and verify together), optionally `VARIANTS`
(frozenset; absent: all) and `ONCE` (done once, never asked again), and these functions of an opaque context:

- `check(context) -> str`: read-only; one line saying what `act` would do; raises BlockedError, or LaterError in a dry
  run that cannot know yet;
- `act(context) -> None`: brings the outcome about; idempotent; absent where the step only looks or waits;
- `verify(context) -> bool`: read-only; whether the outcome is there.

They run in threads, in a dry run all checks at once.
"""

from runbooks.engine.errors import BlockedError, LaterError, RunbookError, StepFailedError
from runbooks.engine.journal import Journal
from runbooks.engine.lines import BusyError, WriteFailedError
from runbooks.engine.loader import load_runbook
from runbooks.engine.plan import DryRun, Forecast, Outlook, look_ahead
from runbooks.engine.records import JournalError, RunFacts, RunRecord, read_run
from runbooks.engine.report import write_report
from runbooks.engine.runner import run_runbook
from runbooks.engine.steps import Runbook, Step

__all__ = [
    "BlockedError",
    "BusyError",
    "DryRun",
    "Forecast",
    "Journal",
    "JournalError",
    "LaterError",
    "Outlook",
    "RunFacts",
    "RunRecord",
    "Runbook",
    "RunbookError",
    "Step",
    "StepFailedError",
    "WriteFailedError",
    "load_runbook",
    "look_ahead",
    "read_run",
    "run_runbook",
    "write_report",
]
