"""docs/drift-compared.md, out of the results: what drift, `pulumi refresh` and `pulumi preview --refresh` say."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pulumi_words import CLEAN, COULD_NOT, FOUND, NOT_ASKED, STOPPED
from result_lines import latest, read

from shopsphere.foundation.files import write_whole
from shopsphere.foundation.paths import REPOSITORY

DOCUMENT = REPOSITORY / "docs" / "drift-compared.md"
REFUSED, COULD_NOT_BE_MADE, TAKEN_BACK = "refused by admission", "could not", "taken back"
Line = dict[str, Any]
_HEAD = """# What drift finds, and what Pulumi says of the same

Written by `python bench/drift --report` from `bench/results/drift_compared.jsonl` and `drift_quiet.jsonl`; not by hand.

Each line below is a change that somebody else made to a running lab: with kubectl under another name, with psql in a
database's pod, through the API of a DNS server or of the CDN, with commands to its cache, or with nft on a host. Then
`shopsphere drift`, `pulumi refresh --preview-only --expect-no-changes` and `pulumi preview --refresh
--expect-no-changes` looked at the same stack. Several changes of different objects were there at once, and each is
judged by its own object: Pulumi found it where it names that object, or its run stopped at it (somebody else owns the
field now: a preview ends there, and may say nothing of others); `drift` where it names object, field, author. Who
writes to PostgreSQL, DNS or the CDN, or only takes something away, is on nobody's record: no author is asked for.
"""
_ANSWERS = (FOUND, CLEAN, STOPPED, COULD_NOT, NOT_ASKED)


def write(compared: Path, quiet: Path, document: Path = DOCUMENT) -> int:
    """Write the document from the last run of each region; returns 1 where there is nothing to write it from."""
    runs, calm = last_runs(read(compared)), last_runs(read(quiet))
    if not runs:
        sys.stderr.write(
            f"{compared} has no results\n  do:       python bench/drift inject REGION, with the lab running\n"
        )
        return 1
    write_whole(document, text(runs, calm))
    sys.stdout.write(f"{document}\n")
    return 0


def last_runs(lines: Sequence[Line]) -> list[Line]:
    """Return the results of the last run of each region."""
    last = {each["target"]: each["run"] for each in lines}
    return latest([each for each in lines if each["run"] == last[each["target"]]])


def text(runs: Sequence[Line], calm: Sequence[Line]) -> str:
    """Return the whole document."""
    inside = [each for each in runs if "drift" in each]
    refused = [each for each in runs if each["outcome"] == REFUSED]
    others = [each for each in runs if each["outcome"] == COULD_NOT_BE_MADE]
    parts = [_HEAD, _measured(runs), _sums(inside), _kinds(inside), _each(inside)]
    if refused:
        parts += ["## What admission refused\n", _table(("kind", "object", "refused by"), map(_refused, refused))]
    if others:
        parts += ["## What could not be made\n", _table(("kind", "object", "why"), map(_refused, others))]
    if calm:
        parts += [_quiet(calm)]
    return "\n".join(parts)


def _measured(lines: Sequence[Line]) -> str:
    seen = dict.fromkeys((each["target"], each["run"][:10], each["commit"], each["machine"]) for each in lines)
    return "\n".join(f"- {target}, {day}, {commit}: {machine}" for target, day, commit, machine in seen) + "\n"


def _sums(inside: Sequence[Line]) -> str:
    found, kinds = _count(inside, "found"), len({each["kind"] for each in inside})
    partly, back = _count(inside, "partly found"), _count(inside, TAKEN_BACK)
    refresh, preview = (_named(inside, name) for name in ("refresh", "preview"))
    asked = sum(each["pulumi"].get("refresh", NOT_ASKED) != NOT_ASKED for each in inside)
    clean = sum(bool(each.get("clean_after")) for each in inside)
    by_repair = sum(each["undone_by"] == "repair" for each in inside)
    return (
        f"{len(inside)} changes of {kinds} kinds got in. `drift` found {found} with object, field and author"
        f"{f', {partly} in part' if partly else ''}{f'; {back} a controller had taken back before' if back else ''}, "
        f"and missed {_count(inside, 'missed')}. Of the {asked} that Pulumi was asked about, "
        f"`refresh` named {refresh} and `preview --refresh` {preview}. {by_repair} were taken back by the finding's "
        f"own command alone, the others by what was saved before; after {clean} drift was clean again.\n"
    )


def _named(lines: Iterable[Line], command: str) -> int:
    return sum(each["pulumi"].get(command) in {FOUND, STOPPED} for each in lines)


def _count(lines: Iterable[Line], outcome: str) -> int:
    return sum(each["outcome"] == outcome for each in lines)


def _kinds(inside: Sequence[Line]) -> str:
    rows = []
    for kind in dict.fromkeys(each["kind"] for each in inside):
        of_it = [each for each in inside if each["kind"] == kind]
        said = [_of(of_it, name) for name in ("refresh", "preview")]
        rows.append((kind, str(len(of_it)), _found(of_it), *said))
    head = ("kind", "got in", "`drift` found", "`pulumi refresh`", "`pulumi preview --refresh`")
    return _table(head, rows, numbers={1})


def _found(lines: Sequence[Line]) -> str:
    counts = {name: _count(lines, name) for name in ("found", "partly found", "missed", TAKEN_BACK)}
    return ", ".join(f"{count} {name}" if name != "found" else str(count) for name, count in counts.items() if count)


def _of(lines: Sequence[Line], command: str) -> str:
    answers = [each["pulumi"].get(command, NOT_ASKED) for each in lines]
    counts = {word: answers.count(word) for word in _ANSWERS}
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count)


def _each(inside: Sequence[Line]) -> str:
    rows = (
        (
            each["how"],
            f"{each['object']}{', ' if each['field'] else ''}{_code(each['field'])}",
            f"{each['outcome']}{_author(each)}",
            *(each["pulumi"].get(name, NOT_ASKED) for name in ("refresh", "preview")),
            f"{each['undone_by']}{'' if each.get('clean_after') else '; not clean after'}",
        )
        for each in inside
    )
    head = ("by", "object and field", "`drift`", "`pulumi refresh`", "`preview --refresh`", "taken back by")
    return "## Each of them\n\n" + _table(head, rows)


def _author(line: Line) -> str:
    drift = line["drift"]
    if drift["wanted_author"]:
        return f", by {drift['author']}" if drift["author_found"] else f", author {drift['author'] or 'not named'}"
    return ""


def _refused(line: Line) -> tuple[str, ...]:
    return line["kind"], f"{line['object']} {_code(line['field'])}".strip(), line["problem"]


def _code(text_: str) -> str:
    return f"`{text_}`" if text_ else ""


def _quiet(calm: Sequence[Line]) -> str:
    good = sum(bool(each["is_quiet"]) for each in calm)
    rows = (
        (
            each["change"],
            str(each["code"]),
            "none" if not each["findings"] else "; ".join(each["findings"]),
            "; ".join(each["unseen"]) or "none",
        )
        for each in calm
    )
    head = ("meanwhile", "exit code", "findings", "unknown")
    told = f"{good} of {len(calm)} looks made no noise: no finding, and unknown only roles while they change.\n"
    return f"## While things change that may\n\n{_measured(calm)}\n{told}\n" + _table(head, rows, numbers={1})


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[int] = ()) -> str:
    right = set(numbers)
    lines = [head, ["---:" if at in right else "---" for at in range(len(head))]]
    lines += [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
