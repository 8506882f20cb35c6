"""Visitors at a client host of the lab, and the database of the pair that serves them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from customers import CLIENTS
from pair import PairUnderTest
from sql_session import SqlSession
from stream_counts import Ask
from stream_place import BOUNDED, PLAYER

from lab.enter import command_inside
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.topology import load_topology


class LabPlace:
    """A pair of the lab.

    Attributes:
        under_test: the pair.
        site: the one that is active.
        hosts: on which its pods run.
    """

    def __init__(self, pair: str) -> None:
        self.under_test = PairUnderTest(pair)
        self.site = self.under_test.record().active
        further = self.under_test.topology.site(self.site).further_nodes
        self.hosts = [self.site, *(each.name for each in further)]
        self._url = f"https://www.{load_topology(environment='lab').domain}"

    @property
    def name(self) -> str:
        return self.under_test.pair.name

    def player(self, words: Sequence[str], sink: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start it at the client host, in whose namespace the public names are asked for."""
        command = command_inside(CLIENTS[self.name], [sys.executable, PLAYER, self._url, *words])
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=sink, cwd=REPOSITORY)

    @contextmanager
    def asking(self) -> Iterator[Ask]:
        """Have one psql in the pod that leads."""
        with SqlSession.at(self.site, "commerce") as session:
            session.ask(BOUNDED)
            yield session.ask
