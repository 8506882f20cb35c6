"""`shopsphere report`: what a workflow's run found, where people see it."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.common import Of, Target
from shopsphere.estate.stack import Environment, check_target
from shopsphere.topology import load_topology

app = typer.Typer(no_args_is_help=True, suggest_commands=False, help="Tell GitHub what a workflow's run found.")

CLEAN = "clean"
COLUMNS = ("severity", "site", "object", "field", "kind", "repair")
"""Of a finding. What is declared and what is live stay where they were found."""
Run = Annotated[str, typer.Option("--run", help="address of the run, for whoever wants to read all of it")]


@app.callback()
def about() -> None:
    """Write one comment, or one issue, again and again."""


@app.command()
def preview(
    files: Annotated[list[Path], typer.Argument(help="what `shopsphere preview` printed, one file for each target")],
    pull_request: Annotated[int, typer.Option("--pull-request", min=1, help="number of the pull request")],
    run: Run = "",
) -> None:
    """Write what a pull request would change into its one comment."""
    from shopsphere.clients.github import GitHub  # noqa: PLC0415 - only these verbs need an HTTP client

    GitHub.of(os.environ).comment(pull_request, "preview", previews(files, run))


@app.command()
def drift(
    target: Target,
    file: Annotated[Path, typer.Argument(help="what `shopsphere drift --json` printed")],
    environment: Of = Environment.LAB,
    run: Run = "",
) -> None:
    """Write what has drifted into the target's one issue: opened, updated, closed when all is clean."""
    from shopsphere.clients.github import GitHub  # noqa: PLC0415 - see above

    check_target(load_topology(environment=environment), target)
    found = document(file)
    body, is_open = drifted(found, run), found.get("verdict") != CLEAN
    title = f"Drift: {target} of {environment.value}"
    GitHub.of(os.environ).report(f"drift {environment.value} {target}", title, body, is_open=is_open)


def previews(files: list[Path], run: str) -> str:
    """Return all previews as one text of Markdown, each with its share of what a comment holds."""
    from shopsphere.clients.github import LARGEST_BODY  # noqa: PLC0415 - see above

    share = LARGEST_BODY // max(1, len(files)) - 200
    parts = ["### What `shopsphere up` would change", *(_fenced(file, share) for file in sorted(files)), _from(run)]
    return "\n\n".join(filter(None, parts))


def _fenced(file: Path, share: int) -> str:
    try:
        text = file.read_text(errors="replace").strip()
    except OSError as error:
        text = f"there is no preview: {error.strerror}"
    text = text or "the preview printed nothing: read the log of the run"
    cut = text if len(text) <= share else f"{text[:share]}\n… cut here; the whole is in the log of the run"
    # A fence is longer than any in the text, so the text cannot end it.
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", cut)), default=0))
    return f"**{file.stem}**\n\n{fence}text\n{cut}\n{fence}"


def document(file: Path) -> dict[str, Any]:
    """Return what `drift` printed; where it printed nothing that can be read, nothing is known."""
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        return {"verdict": "unknown", "unseen": [{"site": "", "what": "the comparison", "why": str(error)}]}
    return found if isinstance(found, dict) else {"verdict": "unknown"}


def drifted(found: dict[str, Any], run: str) -> str:
    """Return a comparison as Markdown: where, which object and field, how bad, what to do; no value of either side."""
    findings, unseen = found.get("findings", []), found.get("unseen", [])
    lines = [f"**{found.get('verdict', 'unknown')}**: {len(findings)} findings, {len(unseen)} unknown."]
    if findings:
        lines += ["", f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]
        lines += [f"| {' | '.join(_cell(each.get(column)) for column in COLUMNS)} |" for each in findings]
    if unseen:
        lines += ["", "Not looked at:", *(f"- {_cell(each.get('site'))} {_cell(each.get('what'))}" for each in unseen)]
    return "\n".join([*lines, "", _from(run)]).strip()


def _cell(value: object) -> str:
    """Return a value as code in a table's cell, so that nothing in it is a link, a name or another cell."""
    text = " ".join(str(value or "").replace("`", "'").replace("|", "/").split())
    return f"`{text}`" if text else ""


def _from(run: str) -> str:
    return f"[The run]({run}) has the rest." if run.startswith("https://") else ""
