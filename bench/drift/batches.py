"""One batch of injections: made, looked at by drift and by Pulumi, taken back, and clean again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from acts import SHELL, Act, ActFailedError, Answer, Hands
from findings import Finding, Identity, Look, Verdict, judge, refusal, strangers
from injections import Injection, Prepared
from patches import NoSuchPlaceError
from pulumi_words import COMMANDS, NOT_ASKED, Said
from undo_journal import INJECTED, UNDONE, Entry, UndoJournal, undo_entry

CLEAN_SECONDS = 180.0
"""Bound on the wait until drift is clean again (s): pods have to be rolled back."""
_PAUSE = 3.0
REPAIR, SAVED = "repair", "what was saved"
BOTH = f"{REPAIR}, then {SAVED}"
"""By what an injection was taken back."""
_COMMANDS = ("kubectl ", "curl ", "shopsphere lab exec ")
"""What a finding's own repair may begin with; `shopsphere up` deploys a whole site, and prose is for people."""


class StillThereError(Exception):
    """An injection could be taken back neither by repair nor by what was saved."""


@dataclass(frozen=True)
class World:
    """What a batch needs.

    Attributes:
        hands: who carries out acts.
        look: runs drift on a target.
        ask: runs one of Pulumi's commands on the stack of a place; None where Pulumi is not asked.
        journal: of what has to be taken back.
        known: findings that were there before everything.
        write: appends one result.
        say: shows progress.
    """

    hands: Hands
    look: Callable[[str], Look]
    ask: Callable[[str, str], Said] | None
    journal: UndoJournal
    known: frozenset[Identity]
    write: Callable[[dict[str, Any]], None]
    say: Callable[[str], None]


@dataclass
class _Trial:
    """One injection on its way."""

    injection: Injection
    prepared: Prepared | None = None
    since: str = ""
    outcome: str = ""
    problem: str = ""
    verdict: Verdict | None = None
    undone_by: str = ""
    undo_problem: str = ""
    is_tidy: bool = False
    pulumi: dict[str, str] = field(default_factory=dict)

    @property
    def entry(self) -> Entry:
        """What the journal has of it."""
        return Entry(self.injection.key, self.injection.place, self.prepared.undo if self.prepared else ())

    @property
    def is_in(self) -> bool:
        return not self.outcome


def carry_out(world: World, batch: Sequence[Injection]) -> None:
    """Make a batch, hold against it what drift and Pulumi say, take it back, and write a result of each.

    Raises:
        StillThereError: something could not be taken back; the journal has it.
    """
    target, trials = batch[0].place, [_Trial(each) for each in batch]
    _prepare(world, trials)
    _inject(world, trials)
    inside = [each for each in trials if each.is_in]
    facts: dict[str, Any] = {}
    if inside:
        facts |= _look(world, target, inside)
        facts |= _ask(world, target, inside)
        facts |= _take_back(world, target, inside)
    for each in trials:
        world.write({**_result(each), **(facts if each.verdict else {})})


def _prepare(world: World, trials: Sequence[_Trial]) -> None:
    for each in trials:
        try:
            each.prepared = each.injection.prepare(world.hands)
        except (ActFailedError, NoSuchPlaceError) as error:
            each.outcome, each.problem = "could not", str(error)
    entries = [each.entry for each in trials if each.prepared]
    if entries:
        world.journal.about_to(entries)


def _inject(world: World, trials: Sequence[_Trial]) -> None:
    for each in trials:
        if each.prepared is None:
            continue
        each.since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        said, sent = "", 0
        for act in each.prepared.do:
            answer = world.hands.do(act)
            if not answer.done:
                said = answer.said or "no reason"
                break
            sent += 1
        if not said:
            world.journal.note(each.injection.key, INJECTED)
            world.say(f"{each.injection.kind}: {each.injection.object}: in")
            continue
        why = refusal(said)
        each.outcome = "refused by admission" if why else "could not"
        each.problem = why or " ".join(said.split())[-300:]
        if sent:  # a part of it is there
            undo_entry(world.hands, each.entry)
        world.journal.note(each.injection.key, UNDONE)
        world.say(f"{each.injection.kind}: {each.injection.object}: {each.outcome}: {each.problem}")


def _look(world: World, target: str, trials: Sequence[_Trial]) -> dict[str, Any]:
    began = time.monotonic()
    seen = world.look(target)
    seconds = round(time.monotonic() - began, 1)
    found = seen.besides(world.known)
    for each in trials:
        each.verdict = judge(each.injection, found, since=each.since)
        if not each.verdict.object and each.prepared and each.prepared.is_there:
            still = each.prepared.is_there(world.hands)
            each.problem = "" if still else "a controller had taken it back before the look"
        if not each.verdict.object and seen.problem:
            each.problem = seen.problem
        world.say(f"drift: {each.injection.object} {each.injection.field}: {outcome_of(each.verdict, each.problem)}")
    others = strangers([each.injection for each in trials], found)
    if others:
        world.say(f"drift also found {len(others)}: {'; '.join(others[:5])}")
    return {"drift_seconds": seconds, "exit_code": seen.code, "strangers": others[:10]}


def _ask(world: World, target: str, trials: Sequence[_Trial]) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for command in COMMANDS:
        said = world.ask(target, command) if world.ask else None
        for each in trials:
            each.pulumi[command] = said.of(each.injection) if said else NOT_ASKED
        if said:
            world.say(f"pulumi {command}: {said.verdict}, {said.seconds:.0f} s {said.problem}".rstrip())
            facts[f"pulumi_{command}"] = {
                "verdict": said.verdict, "seconds": said.seconds, "problem": said.problem,
                "named": sorted(said.named)[:20],
            }  # fmt: skip
    return facts


def _take_back(world: World, target: str, trials: Sequence[_Trial]) -> dict[str, Any]:
    """Take all back: by what drift says of each, then by what was saved, then see that nothing is left."""
    for each in reversed(trials):
        _take_back_one(world, each)
    left: list[str] = []
    end, seen = time.monotonic() + CLEAN_SECONDS, world.look(target)
    while not seen.is_clean(world.known) and time.monotonic() < end:
        left += _take_back_again(world, trials, seen.besides(world.known))
        time.sleep(_PAUSE)
        seen = world.look(target)
    stays = {finding["object"] for finding in seen.besides(world.known)}
    for each in trials:
        if each.undo_problem:
            world.say(f"{each.injection.object}: taken back by {each.undone_by}: {each.undo_problem}")
        if each.injection.object not in stays and not seen.problem:
            if not each.is_tidy:
                _tidied(world, each)
            world.journal.note(each.injection.key, UNDONE)
    clean = seen.is_clean(world.known)
    world.say(f"taken back: drift is {'clean' if clean else 'NOT clean'}{f', {len(left)} left behind' if left else ''}")
    if world.journal.open_entries:
        for each in trials:
            world.write({**_result(each), "clean_after": False})
        names = ", ".join(entry.key for entry in world.journal.open_entries)
        raise StillThereError(f"not taken back within {CLEAN_SECONDS:g} s: {names} {seen.problem}")
    return {"clean_after": clean, "left": sorted(set(left))[:10]}


def _take_back_one(world: World, trial: _Trial) -> None:
    commands = repairs(trial.verdict.findings if trial.verdict else ())
    if commands:
        answers = [_repair(world, command) for command in commands]
        trial.undone_by = REPAIR
        trial.undo_problem = "; ".join(" ".join(answer.said.split())[-200:] for answer in answers if not answer.done)
    if not commands or trial.undo_problem:
        _saved(world, trial)


def _take_back_again(world: World, trials: Sequence[_Trial], found: Sequence[Finding]) -> list[str]:
    """Use what was saved where a repair was not enough; return what repairs left elsewhere, repaired in its turn."""
    ours = {each.injection.object for each in trials}
    for each in trials:
        of_it = [finding for finding in found if finding["object"] == each.injection.object]
        if of_it and each.undone_by == REPAIR:
            each.undo_problem = each.undo_problem or f"the repair left {of_it[0]['field'] or of_it[0]['kind']}"
            _saved(world, each)
        elif of_it and not each.is_tidy:
            each.undo_problem = f"{each.undo_problem}; clean only after the record of owners was put back".removeprefix(
                "; "
            )
            _tidied(world, each)
    others = [finding for finding in found if finding["object"] not in ours]
    for command in repairs(others):
        _repair(world, command)
    return [" ".join(filter(None, (each["site"], each["object"], each["field"]))) for each in others]


def _tidied(world: World, trial: _Trial) -> None:
    trial.is_tidy = True
    for act in trial.prepared.tidy if trial.prepared else ():
        world.hands.do(act)


def _saved(world: World, trial: _Trial) -> None:
    if trial.prepared is None:
        return
    problem = undo_entry(world.hands, trial.entry)
    trial.undone_by = BOTH if trial.undone_by else SAVED
    trial.undo_problem = "; ".join(filter(None, (trial.undo_problem, problem)))


def repairs(found: Sequence[Finding]) -> list[str]:
    """Return the commands that findings name for their repair, each once."""
    commands = (each["repair"] for each in found)
    return [*dict.fromkeys(each for each in commands if each.startswith(_COMMANDS))]


def _repair(world: World, command: str) -> Answer:
    return world.hands.do(Act(SHELL, (command,)))


def outcome_of(verdict: Verdict, problem: str) -> str:
    """Return in words what drift said of an injection that got in."""
    if verdict.object:
        return "found" if verdict.field and verdict.author_found else "partly found"
    return "taken back" if problem.startswith("a controller") else "missed"


def _result(trial: _Trial) -> dict[str, Any]:
    injection, verdict = trial.injection, trial.verdict
    told: dict[str, Any] = {
        "key": injection.key,
        "kind": injection.kind,
        "place": injection.place,
        "object": injection.object,
        "field": injection.field,
        "how": injection.how,
        "outcome": trial.outcome or (outcome_of(verdict, trial.problem) if verdict else "could not"),
        "problem": trial.problem,
    }
    if verdict:
        finding = verdict.finding or {}
        told["drift"] = {
            "object": verdict.object, "field": verdict.field, "author": verdict.author,
            "wanted_author": injection.author, "author_found": verdict.author_found, "named": finding.get("field", ""),
            **{key: finding.get(key) for key in ("kind", "severity", "residency")},
        }  # fmt: skip
        told["pulumi"] = trial.pulumi
        told["undone_by"], told["undo_problem"] = trial.undone_by, trial.undo_problem
    return told
