"""What a seed is: one edit of a file that an engineer may edit, and the rule that has to find it."""

from __future__ import annotations

from dataclasses import dataclass

REFUSED = "refused"
"""In place of a rule: topology, configuration or declaration refuse the edit before there is anything to judge."""


class SeedError(AssertionError):
    """A seed does not fit the tree, or the process that judges it has ended."""


@dataclass(frozen=True)
class Seed:
    """One edit.

    Attributes:
        did: what an engineer did, a few words; the name of its test.
        file: the file, within the repository.
        old: text that stands there exactly once.
        new: what stands there afterwards.
        stack: Pulumi's name of the stack that shows it; the edge's are `lab` and `prod`.
        by: the rule that has to find it, or REFUSED.
        says: part of what that rule finds, or of the refusal.
        beside: other stacks of the environment, for a rule of the fleet.
    """

    did: str
    file: str
    old: str
    new: str
    stack: str
    by: str
    says: str = ""
    beside: tuple[str, ...] = ()

    def edited(self, written: str) -> str:
        """Return the file's text after the edit.

        Raises:
            SeedError: the text that the seed replaces does not stand there exactly once.
        """
        count = written.count(self.old)
        if count != 1:
            raise SeedError(
                f"seed {self.did!r} does not fit {self.file}\n  expected: its text exactly once: {self.old!r}\n"
                f"  found:    {count} times\n  do:       correct the seed to what the file says now"
            )
        return written.replace(self.old, self.new)
