"""Plans of runbooks on standard output, for people and for change tickets; and carrying them out."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from cli.hangup import go_on_without_terminal
from shopsphere.foundation.columns import terminal
from shopsphere.foundation.progress import say
from shopsphere.topology import Topology

if TYPE_CHECKING:
    from runbooks.engine import DryRun
    from runbooks.operate import Request


def go(topology: Topology, request: Request, *, verb: str, execute: bool, as_json: bool) -> None:
    """Carry a runbook out, or print its plan.

    Args:
        topology: the pair's sites.
        request: what is asked for.
        verb: what the person called it.
        execute: carry it out.
        as_json: print the plan, or the report of what was done, as JSON.

    Raises:
        BlockedError: something is in the way of the plan, which was printed.
    """
    from runbooks import operate  # noqa: PLC0415 - the Kubernetes client takes a second to import

    if execute:
        go_on_without_terminal()
        reports = operate.carry_out(topology, request)
        report = reports / "report.json"
        if as_json and report.exists():  # a warning has said why not
            sys.stdout.write(report.read_text())
        say(f"done; report: {reports}" if report.exists() else "done")
        return
    plan = operate.look(topology, request)
    print_plan(plan, title=_title(request, verb), head=_facts(request, verb), as_json=as_json)
    require_clear(plan, f"{verb} {request.target or request.pair}")
    say("dry run: nothing was changed; repeat with --execute and --reason to do it")


def print_plan(plan: DryRun, *, title: str, head: dict[str, Any], as_json: bool) -> None:
    """Print a plan on standard output; `head` is what its JSON begins with."""
    if as_json:
        text = json.dumps({**head, **plan.as_document()}, indent=2)
    else:
        text = "\n".join([title, *plan.lines(terminal().width)])
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()  # before what is said on standard error


def require_clear(plan: DryRun, what: str) -> None:
    """Refuse where a step of a printed plan is blocked.

    Raises:
        BlockedError: names the steps; what each waits for is in the plan.
    """
    from runbooks.engine import BlockedError  # noqa: PLC0415 - see above

    if plan.blockers:
        named = ", ".join(each.step.name for each in plan.blockers)
        raise BlockedError.because(
            f"{what}: {len(plan.blockers)} of {len(plan.forecasts)} steps are blocked: {named}",
            action="what the plan says below each of them",
        )


def _title(request: Request, verb: str) -> str:
    variant = f", {request.variant}" if request.variant else ""
    return f"{verb} {request.target or request.pair} ({request.environment}{variant}), dry run:"


def _facts(request: Request, verb: str) -> dict[str, Any]:
    return {
        "verb": verb,
        "pair": request.pair,
        "environment": request.environment,
        "variant": request.variant,
        "to": request.target or None,
        "reason": request.reason or None,
    }
