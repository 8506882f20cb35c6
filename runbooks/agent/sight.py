"""Whether the kernel of a node shows its servers at all: it may hide processes, or name their pods in another way.

A view of no server is no word on whether one runs: `/proc` under `hidepid`, another namespace of processes, or control
groups without the identities of pods look the same. So a silence of the API is outlived only after both have agreed.
"""

from __future__ import annotations

from collections.abc import Collection


class Sight:
    """Compares what the API says of one node with what its kernel shows; used by one thread."""

    def __init__(self) -> None:
        self._agrees = False
        self._unseen = frozenset[str]()

    @property
    def is_clear(self) -> bool:
        """Whether the kernel has shown every instance that the API said runs here, and at least one, since the start.

        Not while one is missing. One that is missing for two looks in a row ends it until all are seen again.
        """
        return self._agrees and not self._unseen

    def compare(self, running: Collection[str], shown: Collection[str], *, complete: bool) -> None:
        """Take note of one look.

        Args:
            running: pods on this node that the API says have a container of PostgreSQL that runs.
            shown: those of which the kernel shows a server.
            complete: the API has listed the pods of each database.
        """
        unseen = frozenset(running) - frozenset(shown)
        if unseen & self._unseen:
            self._agrees = False
        elif complete and running and not unseen:
            self._agrees = True
        self._unseen = unseen if complete else unseen | (self._unseen - frozenset(shown))
