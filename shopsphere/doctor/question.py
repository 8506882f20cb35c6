"""A question about one thing, and how many are asked at once."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shopsphere.foundation import bounded
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.foundation.finding import Finding, fails, unknown

ANSWER_SECONDS = 8.0
"""Bound on all questions together (s); with the start of the program an examination takes less than 10 s."""

_LABEL = re.compile(r"^ *(expected|found|details|do): *", re.MULTILINE)


@dataclass(frozen=True)
class Question:
    """One check of one thing.

    Attributes:
        check: short name, the same for each thing that is checked so.
        title: a statement that is true when the check passes.
        subject: the site, `edge`, a pair or `this machine`.
        ask: asks and judges; an error that it raises means that the answer is not known.
    """

    check: str
    title: str
    subject: str
    ask: Callable[[], Finding]


def ask_all(questions: Sequence[Question], *, seconds: float = ANSWER_SECONDS) -> tuple[Finding, ...]:
    """Ask all questions side by side, and return the findings in their order; one that hangs hides no other."""
    end = time.monotonic() + seconds
    asked = [bounded.start(each.ask, name=f"{each.check} of {each.subject}") for each in questions]
    findings = []
    for question, future in zip(questions, asked, strict=True):
        try:
            found = bounded.answer_of(future, what="the check", seconds=end - time.monotonic())
        except bounded.OutOfTimeError:
            found = unknown(f"no answer within {seconds:g} s")
        except Exception as error:  # noqa: BLE001 - whatever keeps a check from an answer, nothing is known then
            found = not_known(error)
        findings.append(found.by(question.check, question.title, subject=question.subject))
    return tuple(findings)


def not_known(error: Exception) -> Finding:
    """Say that something could not be told because of an error, whose parts become what was found and what to do."""
    found, action = _parts(error)
    return unknown(found, action) if action else unknown(found)


def failed(error: Exception, action: str) -> Finding:
    """Say that something is not so because of an error; `action` when the error has none."""
    found, own = _parts(error)
    return fails(found, own or action)


def _parts(error: Exception) -> tuple[str, str]:
    text = str(error) if isinstance(error, ShopSphereError) else f"{type(error).__name__}: {error}"
    head, *parts = _LABEL.split(text)
    named = {name: one_line(part) for name, part in zip(parts[::2], parts[1::2], strict=True)}
    details = f" ({named['found']})" if named.get("found") else ""
    return f"{one_line(head)}{details}", named.get("do", "")
