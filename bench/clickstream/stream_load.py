"""A load from its beginning to its ledger: what was counted before, the player, and what goes on beside it."""

from __future__ import annotations

import json
import secrets
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stream_counts import DEFAULT_PARTITIONS, Ask, Window, await_stillness, counts
from stream_ledger import Ledger, begin_line
from stream_place import Place

MORE_SECONDS = 240
"""For the player to begin, to wait for its last answers and to mark the end."""
A_DAY = 86_400

Beside = Callable[["Begun"], AbstractContextManager[Any]]
"""Something that goes on while a load is played."""


@dataclass(frozen=True)
class Wanted:
    """What is to be played.

    Attributes:
        visitors: in the shop at any time.
        rate: events a second of all of them.
        seconds: how long.
        seed: decides who does what.
        probes: whether ways to rows are measured.
        more: further words for the player.
    """

    visitors: int
    rate: float
    seconds: float
    seed: int
    probes: bool = False
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class Begun:
    """A load that has begun: its name, its seed and the ledger's path."""

    run: str
    wanted: Wanted
    path: Path


def load(place: Place, wanted: Wanted, path: Path, beside: Sequence[Beside] = ()) -> Ledger:
    """Play a load; return its ledger.

    Raises:
        NotStillError: somebody else clicks, or the worker is behind.
        LedgerError: the player ended without an end.
    """
    run = secrets.token_hex(8)
    with place.asking() as ask:
        partitions = begin(ask, wanted, path, run, place.name)
    words = [f"--run={run}", f"--partitions={partitions}", *wanted.more, *(["--latency"] if wanted.probes else [])]
    words += [f"--{name}={getattr(wanted, name)}" for name in ("visitors", "rate", "seconds", "seed")]
    with path.open("ab") as sink, ExitStack() as stack:
        player = place.player(words, sink)
        stack.callback(_end, player)
        for each in beside:
            stack.enter_context(each(Begun(run, wanted, path)))
        player.wait(wanted.seconds + MORE_SECONDS)
    return Ledger.read(path)


def begin(ask: Ask, wanted: Wanted, path: Path, run: str, pair: str) -> int:
    """Write what was counted before, once nothing more comes; return how many partitions there are."""
    found = await_stillness(ask)
    began = round(time.time() * 1000)
    first = Window.of(began, began).first
    partitions = found.partitions or DEFAULT_PARTITIONS
    line = begin_line(
        run=run, pair=pair, visitors=wanted.visitors, rate=wanted.rate, seconds=wanted.seconds, seed=wanted.seed,
        partitions=partitions, began=began, counts=counts(ask, Window(first, first + A_DAY)),
    )  # fmt: skip
    path.write_text(f"{line}\n")
    return partitions


def note(path: Path, **facts: object) -> None:
    """Add a line to a ledger that has its end."""
    with path.open("a") as sink:
        sink.write(f"{json.dumps(facts)}\n")


def _end(player: subprocess.Popen[bytes]) -> None:
    """End what is still there when something failed: it ends by itself when its input does."""
    assert player.stdin is not None
    player.stdin.close()
    try:
        player.wait(5 if player.poll() is None else 0.1)
    except subprocess.TimeoutExpired:
        player.kill()
        player.wait(10)
