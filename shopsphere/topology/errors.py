"""What is wrong with a topology document, in words an operator can act on."""

from __future__ import annotations

from dataclasses import dataclass

from shopsphere.foundation.errors import ShopSphereError


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong at one place of a document.

    Attributes:
        path: place in the document, as in `pairs.rdc-a.recovery`; empty for the document as a whole.
        expected: what should stand there.
        found: what stands there.
        line: line in the file, counted from 1; None where the place does not exist (a missing key).
    """

    path: str
    expected: str
    found: str
    line: int | None = None


class TopologyError(ShopSphereError):
    """A topology that cannot be used; carries every problem, and the first one's parts as attributes.

    Attributes:
        file: the file that was read.
        problems: all that is wrong, in the order of the document.
        path: place of the first problem, as in `pairs.rdc-a.recovery`.
        expected: what should stand there.
        found: what stands there.
    """

    def __init__(self, file: str, problems: tuple[Problem, ...], action: str = "") -> None:
        self.file = file
        self.problems = problems
        self.path = problems[0].path
        self.expected = problems[0].expected
        self.found = problems[0].found
        self.action = action or "correct the file, then run `shopsphere topology check`"
        super().__init__("\n".join([*map(self._paragraph, problems), f"  do:       {self.action}"]))

    def _paragraph(self, problem: Problem) -> str:
        place = f"{self.file}:{problem.line}" if problem.line else self.file
        where = f"{place}: {problem.path or 'the document'}"
        return f"{where}\n  expected: {problem.expected}\n  found:    {problem.found}"


class UnknownNameError(ShopSphereError):
    """A site, pair, jurisdiction or data class was asked for that the topology does not have."""

    @classmethod
    def of(cls, kind: str, name: str, known: list[str]) -> UnknownNameError:
        """Say which names exist."""
        return cls(
            f"unknown {kind} {name!r}\n  expected: one of {', '.join(sorted(known))}\n  found:    {name!r}\n"
            f"  do:       use a {kind} of topology.yaml, or add it there"
        )
