"""Refuses to delete or replace what holds data or a name, unless it was named; and never at the site that is active."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from shopsphere.deploy.engine import DeploymentError, ProtectedError
from shopsphere.deploy.outcomes import EngineRun, ResourceChange
from shopsphere.estate.holding import why_kept
from shopsphere.estate.stack import StackId
from shopsphere.foundation.errors import ShopSphereError, UsageError

Meant = frozenset[str]
"""What somebody has named to be taken away, as in `frankfurt/data-ledger`, or with its kind where two have one name."""
NOTHING_MEANT: Meant = frozenset()
_KEPT_BY_STATE = "the state of the stack protects it"


class TakenAwayError(DeploymentError):
    """Something that holds data or a name would be deleted or replaced, and nobody has named it."""


def meant_of(words: Iterable[str], stacks: Iterable[StackId]) -> Meant:
    """Return what was named to be taken away.

    Raises:
        UsageError: a word is not `STACK/NAME` with one of these stacks.
    """
    labels = [stack.label for stack in stacks]
    found = frozenset(words)
    for word in sorted(found):
        stack, slash, name = word.partition("/")
        if stack not in labels or not slash or not name:
            raise UsageError.build(
                f"--i-mean {word} names nothing that could be taken away here",
                expected=f"STACK/NAME, or STACK/KIND/NAME, as a preview shows it, with a stack of {', '.join(labels)}",
                found=word,
                action="preview, and name what it says would be replaced or deleted",
            )
    return found


def previewed(preview: Callable[[], EngineRun]) -> EngineRun:
    """Return what a preview found, also where the engine stopped it only because the state protects something.

    Raises:
        DeploymentError: a rule or the engine refuses the preview for another reason.
    """
    try:
        return preview()
    except ProtectedError as error:
        if error.run is None:
            raise
        return error.run


def taken_away(run: EngineRun) -> tuple[ResourceChange, ...]:
    """Return what a run would delete or replace that holds data or a name, or that the state protects."""
    return tuple(
        each for each in run.changes if each.is_destructive and (why_kept(each.type) or each.urn in run.protected)
    )


def require_meant(stack: StackId, run: EngineRun, meant: Meant) -> None:
    """Refuse a run that would take away what holds data or a name, unless it was named.

    Raises:
        TakenAwayError: names what was not, why it is kept, and what to type.
    """
    taken = taken_away(run)
    shared = Counter(each.name for each in taken)
    words = {each.urn: _words(stack, each, is_alone=shared[each.name] == 1) for each in taken}
    told = [_refusal(each, words[each.urn][0]) for each in taken if meant.isdisjoint(words[each.urn])]
    # What the engine refuses without having told of it as a change would be unprotected, and was shown to nobody.
    told += [
        _told(
            f"{urn} would be deleted or replaced",
            expected=f"a change that the preview shows, for {_KEPT_BY_STATE}",
            found="only the refusal of the engine",
            action="look at it by hand: `pulumi preview` in the stack's folder",
        )
        for urn in sorted({*run.protected} - {each.urn for each in taken})
    ]
    if told:
        count = "1 resource" if len(told) == 1 else f"{len(told)} resources"
        head = f"{stack.label}: {count} would be taken away unasked; nothing of this stack was changed"
        raise TakenAwayError("\n".join([head, *told]), run)


def _words(stack: StackId, change: ResourceChange, *, is_alone: bool) -> tuple[str, ...]:
    """Return by what a resource is named, the word to type first; the short one names one resource or none."""
    whole = f"{stack.label}/{change.type.rpartition(':')[2]}/{change.name}"
    return (f"{stack.label}/{change.name}", whole) if is_alone else (whole,)


def _refusal(change: ResourceChange, word: str) -> str:
    because = f" because of {', '.join(change.forced_by)}" if change.forced_by else ""
    return _told(
        f"{word} ({change.type}) would be {change.operation}d{because}",
        expected=f"that it stays: {why_kept(change.type) or _KEPT_BY_STATE}",
        found=f"{change.operation} of it, which nobody has named",
        action=f"take the change back; or, if you know that nobody needs it, add --i-mean {word}",
    )


def _told(problem: str, *, expected: str, found: str, action: str) -> str:
    text = str(ShopSphereError.build(problem, expected=expected, found=found, action=action))
    return "\n".join(f"  {line}" if not line.startswith(" ") else line for line in text.splitlines())
