"""Where visitors come from and where their clicks are counted: any shop and database that are named."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Protocol

import psycopg
from stream_counts import Ask

PLAYER = str(Path(__file__).with_name("stream_player.py"))
BOUNDED = "set statement_timeout = '60s'"


class Place(Protocol):
    """Where a load is played and counted."""

    @property
    def name(self) -> str:
        """What results call it."""

    def player(self, words: Sequence[str], sink: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start the player where customers are; it writes to `sink`."""

    def asking(self) -> AbstractContextManager[Ask]:
        """Give a way to the region's database."""


class NamedPlace:
    """A shop by its address, and its database by a DSN, from this machine."""

    def __init__(self, url: str, dsn: str) -> None:
        self._url, self._dsn = url, dsn

    @property
    def name(self) -> str:
        return "named"

    def player(self, words: Sequence[str], sink: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start it here."""
        return subprocess.Popen([sys.executable, PLAYER, self._url, *words], stdin=subprocess.PIPE, stdout=sink)

    @contextmanager
    def asking(self) -> Iterator[Ask]:
        """Have one connection."""
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            connection.execute(BOUNDED)

            def ask(statement: str) -> list[str]:
                rows = connection.execute(statement.encode()).fetchall()
                return ["|".join(map(str, row)) for row in rows]

            yield ask
