"""One thing that is wrong at one place of a document that people wrote, in words that they can act on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

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

    def paragraph(self, file: str) -> str:
        """Return it as a part of an error's message; `file` is what its reader knows the document by."""
        place = f"{file}:{self.line}" if self.line else file
        return f"{place}: {self.path or 'the document'}\n  expected: {self.expected}\n  found:    {self.found}"
