"""Whether an attempt was refused: by what came back, by who is answered at the same door, and by what logs say.

A connection that fails is no refusal by itself: the door may be shut to everybody, or the way cut. So each answer has
to be of a kind that the attempt names, whoever belongs there has to be answered meanwhile, and where all that came back
is a closed port, a log has to say that this very packet was refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from attempt import CLOSED, DNS, PORT, SILENT, STATUS, STRANGERS, TLS, WORDS, Attempt, Question

Answer = Mapping[str, Any]


class Verdict(StrEnum):
    """What became of an attempt."""

    REFUSED = "refused"
    LET_IN = "LET IN"
    UNPROVEN = "UNPROVEN"
    """It failed, and nothing shows that it was refused."""
    UNSEEN = "NOT SEEN"
    """It was refused, and no log says so, though the attacker is a stranger."""


@dataclass(frozen=True)
class Outcome:
    """A verdict, and why.

    Attributes:
        verdict: of the attempt.
        why: what decided it; for a refusal, the first answer.
    """

    verdict: Verdict
    why: str


def told(answer: Answer) -> str:
    """Return an answer as one line."""
    return f"{answer['kind']} {answer['status']} {' '.join(str(answer['text']).split())}".strip()


def judge(tried: Attempt, answers: Sequence[Answer], controls: Sequence[Answer] | None, seen: Sequence[str]) -> Outcome:
    """Return what became of an attempt.

    Args:
        tried: the attempt.
        answers: to its questions.
        controls: to those of its control; None where it has none.
        seen: the logs that name it.
    """
    if len(answers) != len(tried.questions) or not answers:
        return Outcome(Verdict.UNPROVEN, f"{len(answers)} answers to {len(tried.questions)} questions")
    verdicts = [_of_answer(tried, *each) for each in zip(tried.questions, answers, strict=True)]
    for verdict in (Verdict.LET_IN, Verdict.UNPROVEN):
        found = next((told(each) for each, its in zip(answers, verdicts, strict=True) if its is verdict), None)
        if found is not None:
            return Outcome(verdict, found)
    if missing := _unanswered(tried, controls):
        return Outcome(Verdict.UNPROVEN, missing)
    by_port = next((each for each in answers if each["kind"] == "refused"), None)
    if by_port is not None and not seen:
        return Outcome(Verdict.UNPROVEN, f"{told(by_port)}, and no log says who refused it")
    if tried.place in STRANGERS and not seen:
        return Outcome(Verdict.UNSEEN, told(answers[0]))
    return Outcome(Verdict.REFUSED, told(answers[0]))


def _unanswered(tried: Attempt, controls: Sequence[Answer] | None) -> str:
    """Return why a control shows nothing; empty where it does, or where there is none."""
    if tried.control is None:
        return "" if tried.alone else "nobody who belongs there was asked"
    if controls is None or len(controls) != len(tried.control.questions):
        return "who belongs there was not asked"
    wrong = next((each for each in controls if not re.search(tried.control.says, told(each))), None)
    return f"who belongs there is not answered either: {told(wrong)}" if wrong is not None else ""


def _of_answer(tried: Attempt, question: Question, answer: Answer) -> Verdict:
    if any(text in str(answer["text"]) for text in tried.opens):
        return Verdict.LET_IN
    match answer["kind"]:
        case "scan":
            return _of_scan(tried, answer)
        case "held":
            return _of_held(tried, answer)
        case "dns":
            return _of_dns(tried, question, answer)
        case "http" | "run" | "bytes":
            return _of_words(tried, answer)
        case kind:
            return Verdict.REFUSED if _ways(kind) & tried.by else Verdict.UNPROVEN


def _ways(kind: str) -> frozenset[str]:
    """Return which kinds of refusal an answer of this kind may be; none for a fault, or for a way that is cut."""
    ways = {"refused": {PORT}, "reset": {CLOSED}, "closed": {CLOSED}, "tls": {TLS}, "silent": {SILENT}}
    return frozenset(ways.get(kind, ()))


def _of_words(tried: Attempt, answer: Answer) -> Verdict:
    text, is_status = str(answer["text"]), answer["kind"] != "bytes"
    if tried.harmless and re.search(tried.harmless, text):
        return Verdict.REFUSED
    if WORDS in tried.by and tried.words and re.search(tried.words, text) and (answer["status"] or not is_status):
        return Verdict.REFUSED
    if is_status and STATUS in tried.by and answer["status"] in tried.statuses:
        return Verdict.REFUSED
    is_fault = answer["kind"] == "http" and answer["status"] >= 400
    is_failed = answer["kind"] == "run" and answer["status"]
    return Verdict.UNPROVEN if is_fault or is_failed else Verdict.LET_IN


def _of_dns(tried: Attempt, question: Question, answer: Answer) -> Verdict:
    if answer["status"] == 0:  # no error: a change was made, or records were told
        return _yes(not question.get("changes") and answer["answers"] == 0)
    return Verdict.REFUSED if DNS in tried.by and answer["status"] in tried.statuses else Verdict.UNPROVEN


def _of_scan(tried: Attempt, answer: Answer) -> Verdict:
    if set(answer["open"]) - tried.ports:
        return Verdict.LET_IN
    return Verdict.UNPROVEN if answer["silent"] else Verdict.REFUSED


def _of_held(tried: Attempt, answer: Answer) -> Verdict:
    if answer["open"] > tried.most:
        return Verdict.LET_IN
    # Where none came about at all, each has to have been sent away.
    is_cut = not answer["opened"] and {*answer["outcomes"]} - {"refused", "reset", "closed"}
    return Verdict.UNPROVEN if is_cut else Verdict.REFUSED


def _yes(is_refused: bool) -> Verdict:  # noqa: FBT001 - the one thing that it is asked
    return Verdict.REFUSED if is_refused else Verdict.LET_IN


def exit_code(verdicts: Iterable[Verdict], changed: Iterable[str]) -> int:
    """Return 0 when each attempt was refused and seen, and nothing changed; also none at all is a 1."""
    given = list(verdicts)
    return int(not given or any(each is not Verdict.REFUSED for each in given) or any(True for _ in changed))
