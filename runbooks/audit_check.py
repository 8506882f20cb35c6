"""Whether this machine's audit log is the one that others were told of: witnesses, and agents of sites.

A log proves nothing about itself: its owner may cut it, write it anew or remove it. Others keep heads of it. What they
know must be in the log here; a log that is kept at another machine is named, and checked there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runbooks.audit_trail import place_of
from runbooks.engine.audit import AuditError, Chain, read_chain
from shopsphere.foundation.errors import one_line
from shopsphere.foundation.finding import Finding, fails, passes, unknown
from shopsphere.witness.heads import AuditHead, Heads

FIND_OUT = "keep the file as it is, find out who changed it, and read docs/audit.md"
HERE = "the log here"


@dataclass(frozen=True)
class Told:
    """What somebody else knows.

    Attributes:
        by: who, as in `the witness of rdc-a`.
        heads: what they keep.
        problem: why nothing is known of it; empty when they answered.
    """

    by: str
    heads: Heads = field(default_factory=Heads)
    problem: str = ""


@dataclass(frozen=True)
class Local:
    """The log of this machine.

    Attributes:
        path: its file.
        chain: None where there is no record, or the chain is broken.
        problem: how it is broken; empty when it is not.
        unread: why this user cannot read it; empty when it was read.
    """

    path: Path
    chain: Chain | None
    problem: str = ""
    unread: str = ""

    @property
    def place(self) -> str:
        """Machine and file, as heads name it."""
        return place_of(self.path)


def look_at(path: Path) -> Local:
    """Read the log of this machine."""
    try:
        if not path.exists():
            return Local(path, None)
        chain = read_chain(path)
    except AuditError as error:
        return Local(path, None, one_line(error))
    except OSError as error:
        return Local(path, None, unread=f"{path} cannot be read: {error.strerror}")
    return Local(path, chain if chain.count else None)


def judge(local: Local, told: Sequence[Told]) -> list[Finding]:
    """Compare the log here with what others know of it, and name the logs of other machines."""
    judged = [_judge_local(local, told), *(_judge_told(local, each) for each in told)]
    return [*judged, *_others(local, told)]


def _judge_local(local: Local, told: Sequence[Told]) -> Finding:
    check = f"{HERE} ({local.path})"
    if local.problem:
        return fails(local.problem, FIND_OUT).by("audit", "chain", subject=check)
    if local.unread:
        as_who = "ask as a user who may read it, as one of the operators"
        return unknown(local.unread, as_who).by("audit", "chain", subject=check)
    if local.chain:
        return passes(f"{_records(local.chain.count)}, an unbroken chain").by("audit", "chain", subject=check)
    mine = {each.log: (each, who.by) for who in told for each in _of_here(local, who.heads)}
    if not mine:
        silent = "; not all were asked" if any(each.problem or each.heads.unreadable for each in told) else ""
        found = f"there is none, and nobody who answered knows of one{silent}"
        return passes(found).by("audit", "chain", subject=check)
    newest, by = max(mine.values(), key=lambda each: each[0].at)
    found = f"it is gone: {by} knows that it had {_records(newest.count)} on {_when(newest)}"
    return fails(found, "bring it back from a copy; " + FIND_OUT).by("audit", "chain", subject=check)


def _judge_told(local: Local, told: Told) -> Finding:
    if told.problem:
        return unknown(told.problem).by("audit", "heads", subject=told.by)
    chain, mine = local.chain, _of_here(local, told.heads)
    wrong = [problem for each in mine if (problem := _contradicts(chain, each))] if chain else []
    if wrong:
        finding = fails("; ".join(wrong), FIND_OUT)
    elif local.unread:
        finding = unknown("not compared: the log here cannot be read", "as above")
    elif told.heads.unreadable:
        finding = unknown("; ".join(told.heads.unreadable)[:500], "look at its log, and at its file of heads")
    elif mine and not chain:
        newest = max(mine, key=lambda each: each.count)
        what = f"it knows {_records(newest.count)} of the log here as of {_when(newest)}: nothing to compare with"
        finding = fails(what, FIND_OUT)
    else:
        finding = passes(_agreed(chain, mine))
    return finding.by("audit", "heads", subject=told.by)


def _contradicts(chain: Chain, head: AuditHead) -> str:
    """Return how the log here is not the one that a head was taken of; empty when it is."""
    as_of = f"as of {_when(head)}"
    if head.log != chain.log:
        return (
            f"another log was in this place: {head.log[:8]} with {_records(head.count)}, {as_of}; here is "
            f"{chain.log[:8]}: the file was replaced, or its first record changed"
        )
    if head.count > chain.count:
        return f"records were cut off: it knows {head.count}, {as_of}; here are {chain.count}"
    if chain.hashes[head.count - 1] != head.head:
        return f"records up to {head.count} are not those that it knows, {as_of}: they were changed or replaced"
    return ""


def _agreed(chain: Chain | None, mine: Sequence[AuditHead]) -> str:
    if not mine or not chain:
        return "it knows nothing of the log here"
    most = max(each.count for each in mine)
    newer = chain.count - most
    return f"it agrees up to record {most}" + (f"; {_records(newer)} after it, not known there" if newer else "")


def _others(local: Local, told: Sequence[Told]) -> Iterable[Finding]:
    """Judge the logs of other places: those who know them have to agree; the file is looked at where it is."""
    logs: dict[str, dict[str, AuditHead]] = {}
    for who in told:
        for each in who.heads.known:
            if not _is_of_here(local, each):
                logs.setdefault(each.log, {})[f"{who.by} {each.count} {each.head}"] = each
    for log, heads in sorted(logs.items()):
        newest = max(heads.values(), key=lambda each: each.count)
        subject = f"log {log[:8]} of {newest.place}"
        if twice := _two_heads(heads.values()):
            found = f"two logs of this name: record {twice} has two hashes"
            yield fails(found, FIND_OUT).by("audit", "other", subject=subject)
            continue
        found = f"{_records(newest.count)} as of {_when(newest)}; its file is not here: verify it at that machine"
        yield passes(found).by("audit", "other", subject=subject)


def _two_heads(heads: Iterable[AuditHead]) -> int:
    """Return the number of a record that has two hashes; 0 for none."""
    by_count: dict[int, str] = {}
    for each in heads:
        if by_count.setdefault(each.count, each.head) != each.head:
            return each.count
    return 0


def _of_here(local: Local, heads: Heads) -> list[AuditHead]:
    return [each for each in heads.known if _is_of_here(local, each)]


def _is_of_here(local: Local, head: AuditHead) -> bool:
    return head.place == local.place or bool(local.chain and local.chain.log == head.log)


def _records(count: int) -> str:
    return f"{count} record{'' if count == 1 else 's'}"


def _when(head: AuditHead) -> str:
    return f"{head.at:%Y-%m-%d %H:%M} UTC"


def as_document(findings: Sequence[Finding]) -> Mapping[str, object]:
    """Return findings in plain values, with the verdict of all."""
    return {"verdict": verdict(findings), "findings": [each.as_json() for each in findings]}


def verdict(findings: Sequence[Finding]) -> str:
    """Return `broken`, `unknown` or `intact`: what is broken outweighs what is not known."""
    verdicts = {each.verdict.value for each in findings}
    return "broken" if "fail" in verdicts else "unknown" if "unknown" in verdicts else "intact"
