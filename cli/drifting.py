"""`shopsphere drift`."""

from __future__ import annotations

import math
import signal
import sys
import threading
from typing import Annotated

import typer

from cli.asking import is_terminal, require_yes
from cli.common import In, Target
from shopsphere.estate.stack import Environment, check_target
from shopsphere.foundation.columns import terminal
from shopsphere.foundation.errors import UsageError
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.topology import Topology, load_topology

_ENDS = (signal.SIGINT, signal.SIGTERM)


def drift(
    target: Target,
    environment: In = Environment.LAB,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON instead of text; with --watch one object a line")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="go on, and tell each finding within seconds, and its end")
    ] = False,
    seconds: Annotated[
        float | None, typer.Option("--for", metavar="SECONDS", help="end the watch after so long")
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="put back what is safe; without a terminal and --yes it only says what")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="with --repair: do not ask")] = False,
) -> None:
    """Compare what is live with what is declared: changes, additions, losses, objects nobody declared."""
    _check_words(watch=watch, seconds=seconds, repair=repair, yes=yes)
    topology = load_topology(environment=environment)
    check_target(topology, target)
    if watch:
        raise typer.Exit(_watch(topology, target, environment, seconds, as_json=as_json))
    if repair:
        raise typer.Exit(_repair(topology, target, environment, as_json=as_json, yes=yes))
    # The Kubernetes client takes a second to import, so only this verb does.
    from shopsphere.drift import looking, render  # noqa: PLC0415 - see above

    found = looking.compare(topology, target, environment)
    text = render.as_json(found) if as_json else render.as_text(found, terminal().width)
    sys.stdout.write(f"{text}\n")
    raise typer.Exit(found.exit_code)


def _check_words(*, watch: bool, seconds: float | None, repair: bool, yes: bool) -> None:
    if watch and repair:
        raise UsageError(
            "--watch only looks, and --repair changes something once\n  expected: one of them\n"
            "  found:    both\n  do:       watch with the one, and call the other for what was found"
        )
    if yes and not repair:
        raise UsageError(
            "--yes answers the question of --repair\n  expected: --repair with it\n  found:    --yes alone\n"
            "  do:       add --repair, or leave --yes out: looking asks nothing"
        )
    if seconds is not None and not watch:
        raise UsageError(
            "--for says how long to watch\n  expected: --watch with it\n  found:    --for alone\n"
            "  do:       add --watch, or leave --for out"
        )
    if seconds is not None and not 0 < seconds < math.inf:
        raise UsageError(
            f"--for {seconds:g} is no time\n  expected: a number of seconds above 0\n  found:    {seconds:g}\n"
            "  do:       leave --for out to watch until Ctrl-C"
        )


def _watch(
    topology: Topology, target: str, environment: Environment, seconds: float | None, *, as_json: bool
) -> ExitCode:
    """Watch until Ctrl-C, SIGTERM or the end of its time; a second Ctrl-C ends at once."""
    from shopsphere.drift import watch_lines, watching  # noqa: PLC0415 - see `drift`

    stopped = threading.Event()

    def stop(number: int, _frame: object) -> None:
        stopped.set()
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

    def tell(event: watching.Event) -> None:
        text = watch_lines.as_json(event) if as_json else watch_lines.as_text(event, terminal().width)
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    before = {number: signal.signal(number, stop) for number in _ENDS}
    try:
        found = watching.watch(topology, target, environment, tell, stopped=stopped, seconds=seconds or math.inf)
    finally:
        stopped.set()
        for number, handler in before.items():
            signal.signal(number, handler)
    return found.exit_code


def _repair(topology: Topology, target: str, environment: Environment, *, as_json: bool, yes: bool) -> ExitCode:
    """Plan, ask, do and look again; without `yes` and a terminal nothing is done."""
    from shopsphere.drift import looking, repair_run  # noqa: PLC0415 - see `drift`

    run, width = repair_run.prepare(topology, target, environment), terminal().width
    may_ask = is_terminal() and not as_json
    if not run.number or not (yes or may_ask):
        plan = repair_run.plan_as_text(run.planned, width)
        dry = "nothing was changed: --yes does it" if run.number else "nothing is to be put back"
        text = repair_run.as_json(run.planned, None, run.report) if as_json else "\n".join(filter(None, (plan, dry)))
        sys.stdout.write(f"{text}\n")
        return run.report.exit_code
    if not yes:
        sys.stdout.write(f"{repair_run.plan_as_text(run.planned, width)}\n")
        require_yes(f"do this about {run.number} of {len(run.planned)} findings?")
    outcomes = run.carry_out()
    left = looking.compare(topology, target, environment)
    if as_json:
        text = repair_run.as_json(run.planned, outcomes, left)
    else:
        text = f"{repair_run.outcomes_as_text(outcomes, width)}\nafterwards: {left.verdict}, {len(left.drifts)} left"
    sys.stdout.write(f"{text}\n")
    return left.exit_code
