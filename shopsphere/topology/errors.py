"""What is wrong with a topology document, in words an operator can act on."""

from __future__ import annotations

from shopsphere.foundation.document_problem import Problem
from shopsphere.foundation.errors import ShopSphereError


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
        super().__init__("\n".join([*(each.paragraph(file) for each in problems), f"  do:       {self.action}"]))


class UnknownNameError(ShopSphereError):
    """A site, pair, jurisdiction or data class was asked for that the topology does not have."""

    @classmethod
    def of(cls, kind: str, name: str, known: list[str]) -> UnknownNameError:
        """Say which names exist."""
        return cls(
            f"unknown {kind} {name!r}\n  expected: one of {', '.join(sorted(known))}\n  found:    {name!r}\n"
            f"  do:       use a {kind} of topology.yaml, or add it there"
        )
