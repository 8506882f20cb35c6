"""What changes, as people read it: a line for each resource, and with `--diff` one for each property."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterable, Iterator

from pydantic import JsonValue
from rich.text import Text

from shopsphere.deploy.changes import SECRET
from shopsphere.deploy.outcomes import (
    CREATE,
    DELETE,
    REPLACE,
    UPDATE,
    EngineRun,
    PlanOutcome,
    PropertyChange,
    ResourceChange,
    StackOutcome,
)
from shopsphere.deploy.summary import MARKED, operations
from shopsphere.estate.stack import Environment
from shopsphere.foundation.columns import terminal

MARKS = {CREATE: "+", UPDATE: "~", REPLACE: "+-", DELETE: "-"}
STYLES = {CREATE: "green", UPDATE: "yellow", REPLACE: "bold magenta", DELETE: "bold red"}
VALUE_CHARACTERS = 400
"""Of one value; what is longer, as a whole manifest, is cut and says how long it is."""
NARROWEST = 40


def as_json(outcome: PlanOutcome, target: str, environment: Environment) -> str:
    """Return an outcome as a JSON document."""
    head = {"target": target, "environment": environment.value, "succeeded": outcome.succeeded}
    return json.dumps({**head, **outcome.model_dump(mode="json")}, indent=2, ensure_ascii=False)


def show(outcome: PlanOutcome, *, diff: bool = False) -> None:
    """Print what each stack's preview found, on standard output."""
    console = terminal()
    for line in lines(outcome, console.width, diff=diff):
        console.print(line)
    sys.stdout.flush()  # before what is said on standard error


def lines(outcome: PlanOutcome, width: int, *, diff: bool = False) -> list[Text]:
    """Return the lines about all stacks.

    Args:
        outcome: what was previewed.
        width: of the terminal, in characters.
        diff: name the properties too, old and new.
    """
    found = [line for stack in outcome.stacks for line in _stack(stack, max(width, NARROWEST), diff=diff)]
    return [*found, *_taken_away(outcome, max(width, NARROWEST))]


def _stack(stack: StackOutcome, width: int, *, diff: bool) -> Iterator[Text]:
    run = stack.planned
    if run is None:
        state = "nothing was set up" if not stack.is_set_up else "not previewed"
        yield Text(f"{stack.stack}: {state}")
        return
    yield from _folded(_heading(stack, run), width, style="bold")
    longest = max((len(change.name) for change in run.changes), default=0)
    for change in run.changes:
        yield from _resource(change, min(longest, width * 3 // 10), width)
        yield from _properties(change, width, diff=diff)


def _heading(stack: StackOutcome, run: EngineRun) -> str:
    new = "" if stack.is_set_up else ", not set up yet"
    if stack.error:
        return f"{stack.stack}: FAILED after {len(run.changes)} changes were seen{new}"
    if not run.changed:
        return f"{stack.stack}: no change ({run.total} resources)"
    return f"{stack.stack}: {run.changed} of {run.total} resources to change: {operations(run)}{new}"


def _resource(change: ResourceChange, name_width: int, width: int) -> Iterator[Text]:
    mark, word = MARKS.get(change.operation, "*"), MARKED.get(change.operation, change.operation)
    style = STYLES.get(change.operation, "")
    head = f"  {mark:<2} {word:<7}  {change.name:<{name_width}}"
    if len(head) + 2 + len(change.type) <= width:
        yield Text.assemble((head, style), "  ", (change.type, "dim"))
        return
    yield Text(head.rstrip(), style=style)
    yield Text(f"{' ' * 14}{change.type}", style="dim")


def _properties(change: ResourceChange, width: int, *, diff: bool) -> Iterator[Text]:
    if change.forced_by:
        yield from _folded(f"replaced because of {', '.join(change.forced_by)}", width, indent=14)
    if diff:
        for each in change.properties:
            yield from _folded(f"{each.path}: {_difference(each)}", width, indent=14)


def _difference(change: PropertyChange) -> str:
    if change.kind == "add":
        return f"added, {_value(change.new)}"
    if change.kind == DELETE:
        return f"removed, was {_value(change.old)}"
    if change.old == change.new == SECRET:
        return "another secret"
    return f"{_value(change.old)} -> {_value(change.new)}"


def _value(value: JsonValue) -> str:
    text = value if value == SECRET else json.dumps(value, ensure_ascii=False, sort_keys=True)
    text = str(text)
    if len(text) <= VALUE_CHARACTERS:
        return text
    return f"{text[:VALUE_CHARACTERS]}... ({len(text)} characters)"


def _taken_away(outcome: PlanOutcome, width: int) -> Iterable[Text]:
    """Say once more, at the end, what would not survive: it may have scrolled away."""
    found = [
        f"{stack.stack}/{change.name} ({change.operation})"
        for stack in outcome.stacks
        if stack.planned
        for change in stack.planned.changes
        if change.is_destructive
    ]
    if not found:
        return []
    return _folded(f"REPLACED or DELETED, {len(found)} in all: {', '.join(found)}", width, style="bold red")


def _folded(text: str, width: int, *, indent: int = 0, style: str = "") -> list[Text]:
    """Fold a line at spaces, or within a word that is longer than a line."""
    pad = " " * indent
    parts = textwrap.wrap(
        text, width, initial_indent=pad, subsequent_indent=f"{pad}  ", break_on_hyphens=False, drop_whitespace=True
    )
    return [Text(part, style=style) for part in parts]
