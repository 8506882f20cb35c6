"""Small runbooks in a folder, with steps that write files: what they did can be counted."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from manual_clock import ManualClock

from runbooks.engine import Journal, RunFacts, load_runbook, run_runbook
from shopsphere.foundation.clock import Clock

STEP = '''"""A step of a test."""

from runbooks.engine import BlockedError, LaterError
from shopsphere.foundation.errors import MayPassError, NoAnswerError

TITLE = "Do {name}"
SECONDS = {seconds}
{extra}

def _note(context, what):
    with (context.state / "calls").open("a") as calls:
        calls.write(f"{{what}} {name}\\n")


def check(context):
    _note(context, "check")
    {check}
    return "would do {name}"


def act(context):
    _note(context, "act")
    {act}


def verify(context):
    _note(context, "verify")
    {verify}
'''
NAMES = ("01-close-shop", "02-move-data", "05-open-shop")


def write_step(
    folder: Path,
    name: str,
    *,
    seconds: float = 5,
    extra: str = "",
    check: str = "pass",
    act: str | None = None,
    verify: str | None = None,
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    act = act or f'(context.state / "{name}").touch()'
    verify = verify or f'return (context.state / "{name}").exists()'
    text = STEP.format(name=name, seconds=seconds, extra=extra, check=check, act=act, verify=verify)
    (folder / f"{name}.py").write_text(text)


def write_runbook(root: Path, *names: str) -> Path:
    """Three steps, or those named, in a folder `move`."""
    for name in names or NAMES:
        write_step(root / "move", name)
    return root / "move"


def facts(**changes: Any) -> RunFacts:
    return RunFacts(
        **{"runbook": "move", "variant": None, "pair": "rdc-a", "actor": "ann", "reason": "flood"} | changes
    )


def make_context(root: Path) -> SimpleNamespace:
    (root / "state").mkdir(exist_ok=True)
    return SimpleNamespace(state=root / "state")


def calls(root: Path, what: str = "") -> list[str]:
    """What the steps were asked, in order."""
    file = root / "state" / "calls"
    return [line for line in (file.read_text().splitlines() if file.exists() else []) if line.startswith(what)]


def acts(root: Path) -> list[str]:
    return [line.removeprefix("act ") for line in calls(root, "act")]


def drive(root: Path, clock: Clock | None = None) -> None:
    """Start or resume the runbook in `root`, as an operator's command does; without a clock, waits take no time."""
    left = Journal.unfinished(root / "journals")
    journals = root / "journals"
    with Journal.resume(left.path, actor="bob") if left else Journal.start(journals, facts()) as journal:
        context = make_context(root)
        context.journal = journal
        run_runbook(load_runbook(root / "move"), context, journal, clock=clock or ManualClock())
