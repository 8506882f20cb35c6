"""`shopsphere drift`."""

from __future__ import annotations

import math
import signal
import sys
import threading
from typing import Annotated

import typer

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
) -> None:
    """Compare what is live with what is declared: changes, additions, losses, objects nobody declared; read-only."""
    _check_words(watch=watch, seconds=seconds)
    topology = load_topology(environment=environment)
    check_target(topology, target)
    if watch:
        raise typer.Exit(_watch(topology, target, environment, seconds, as_json=as_json))
    # The Kubernetes client takes a second to import, so only this verb does.
    from shopsphere.drift import looking, render  # noqa: PLC0415 - see above

    found = looking.compare(topology, target, environment)
    text = render.as_json(found) if as_json else render.as_text(found, terminal().width)
    sys.stdout.write(f"{text}\n")
    raise typer.Exit(found.exit_code)


def _check_words(*, watch: bool, seconds: float | None) -> None:
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
