"""The store of a pair's backups is lost, full or slow: what customers, collectors and `ready` notice of it."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from collectors import Sampling, between, first_told, most
from log_writing import LogWriting
from order_windows import delayed, window
from restores import Beside
from scene import Fault, Scene
from staged import PASSED, Stage, lacking, moment
from telling import say, stay

from runbooks.putting_in_place.room import SPOOL_BYTES
from runbooks.readiness.p12_backups import WAL_YOUNGER_THAN
from shopsphere.foundation.clock import WaitExpiredError, wait_until
from shopsphere.foundation.errors import one_line

MEBIBYTE = 2**20
SPOOL_MIB = SPOOL_BYTES // MEBIBYTE
"""So much may wait at a collector (MiB); the segment that is being received comes on top."""
SEGMENT_MIB = 16
TELLS_MARGIN = 75.0
"""A collector says each minute until when it has all; `ready` tells of an old one so much later (s)."""
PASS_SECONDS, COMPLETE_SECONDS = 300, 120
"""Longest waits (s): until `ready` passes again; until the buckets are whole, once collectors say so."""
LOG = "log_kib_per_second"
SLOW_TELLS = 60.0
"""WAL that is this much (s) behind by a collector's figure tells of a slow store, where enough is written."""


@dataclass(frozen=True)
class StoreFault:
    """One way for a store to fail.

    Attributes:
        make: does it.
        undo: undoes it; it may be called twice.
        seconds: that it lasts.
        answers: whether the store may go on answering.
        prepare: what is made before customers are watched.
        give_back: undoes that.
    """

    make: Callable[[], object]
    undo: Callable[[], object]
    seconds: float
    answers: bool = False
    is_slow: bool = False
    prepare: Callable[[], object] = lambda: None
    give_back: Callable[[], object] = lambda: None


def faults(
    stage: Stage, names: Mapping[str, float], *, room_mib: int, ms: float, kilobits: int
) -> dict[str, StoreFault]:
    """Those that are wanted, by name.

    Args:
        stage: what they work with.
        names: how long each kind lasts (s): lost, full, slow.
        room_mib: that a store has before it is full (MiB).
        ms: that each frame takes longer, each way, while it is slow.
        kilobits: a second that it takes then, each way.
    """
    host = stage.host
    every = {
        "lost-process": StoreFault(host.kill, host.start, names.get("lost", 0)),
        "lost-link": StoreFault(host.cut, host.heal, names.get("lost", 0)),
        "full": StoreFault(host.room.fill, host.room.empty, names.get("full", 0), answers=True,
                           prepare=lambda: host.room.make(room_mib), give_back=host.room.give_back),
        "slow": StoreFault(lambda: host.slow(ms, kilobits), host.heal, names.get("slow", 0), answers=True,
                           is_slow=True),
    }  # fmt: skip
    return {name: each for name, each in every.items() if name.partition("-")[0] in names}


def under_load(stage: Stage, fault: StoreFault) -> Fault:
    """A fault of a store as one of the safety bench."""

    def happen(scene: Scene) -> None:
        scene.may_show_errors = False
        stage.judgements[:] = [orders_judged]
        try:
            fault.prepare()
            _carry_out(stage, fault, scene)
        finally:
            fault.give_back()

    return happen


def _carry_out(stage: Stage, fault: StoreFault, scene: Scene) -> None:
    stage.wait_until_caught_up(time.time())
    before = stage.backups()
    with Sampling(stage.collectors) as sampling, LogWriting(scene.active, "commerce", stage.kibibytes) as log:
        say(f"customers are watched for {stage.calm:.0f} s before")
        scene.mark("calm")
        stay(stage.calm / 2, "before")
        scene.facts["ready_before"] = stage.ready()[0]
        stay(stage.calm / 2, "before")
        try:
            scene.mark("fault")
            say("the fault begins")
            fault.make()
            stay(max(0.0, fault.seconds - 10), "the fault")
            verdict, found = stage.ready()
            stay(max(0.0, fault.seconds - (time.monotonic() - scene.at["fault"])), "the fault")
        finally:
            fault.undo()
            scene.mark("back")
        back = time.time()
        say(f"the store is back; `ready` said of backups: {verdict}: {found[:120]}")
        with noted(scene):
            scene.facts["catch_up_seconds"] = round(stage.wait_until_caught_up(back), 1)
            say(f"the collectors caught up in {scene.facts['catch_up_seconds']} s")
        scene.mark("caught up")
        stay(stage.calm / 2, "after")
        with noted(scene):
            wait_until(lambda: stage.ready()[0] == PASSED, what="`ready` to pass backups again", seconds=PASS_SECONDS,
                       interval=5, explain=lambda: ": ".join(stage.ready()))  # fmt: skip
    scene.problems += [log.problem] if log.problem else []
    scene.facts |= {
        "fault_seconds": round(scene.at["back"] - scene.at["fault"], 1),
        "ready_during": [verdict, found[:300]],
        LOG: stage.kibibytes,
    }
    scene.facts |= _collectors_judged(fault, scene, sampling, verdict)
    with noted(scene):
        wait_until(lambda: not lacking(before, stage.backups()), what="complete buckets", seconds=COMPLETE_SECONDS,
                   interval=5, explain=lambda: "; ".join(lacking(before, stage.backups())))  # fmt: skip
    _restored_inside(stage, scene)


@contextmanager
def noted(scene: Scene) -> Iterator[None]:
    """Let what does not come about be a problem, and the rest of the step go on: its figures say more."""
    try:
        yield
    except WaitExpiredError as error:
        scene.problems.append(one_line(error))
        say(f"  {scene.problems[-1]}")


def _collectors_judged(fault: StoreFault, scene: Scene, sampling: Sampling, verdict: str) -> dict[str, Any]:
    """What the collectors told: how much waited, what was dropped, and whether they told of the fault."""
    begin, back, end = scene.at["fault"], scene.at["back"], scene.at["caught up"]
    during, whole = between(sampling.looks, begin, back), between(sampling.looks, begin, end)
    waiting = {name: -(-most_bytes // MEBIBYTE) for name, most_bytes in most(whole, "waiting_bytes").items()}
    told, late = first_told(during, begin), most(during, "wal_age_seconds")
    lasted = back - begin
    problems = [f"{name}: {mib} MiB waited" for name, mib in waiting.items() if mib > SPOOL_MIB + 2 * SEGMENT_MIB]
    for figure in ("dropped_segments", "gap_open"):
        before = most(between(sampling.looks, scene.at["calm"], begin), figure)
        problems += [
            f"{name}: {figure} {value}" for name, value in most(whole, figure).items() if value > before.get(name, 0)
        ]
    if not during:
        problems.append("no collector told anything during the fault")
    elif told is None and not (fault.is_slow and (max(late.values()) >= SLOW_TELLS or not scene.facts[LOG])):
        problems.append("no collector told of the fault: the store answered, and nothing was late")
    must_tell = not fault.answers or (not fault.is_slow and lasted > WAL_YOUNGER_THAN.total_seconds() + TELLS_MARGIN)
    if must_tell and verdict == PASSED:
        problems.append(f"`ready` passed backups after {lasted:.0f} s of the fault")
    scene.problems += problems
    return {"waiting_mib": waiting, "told_after_seconds": told, "most_behind_seconds": late}


def _restored_inside(stage: Stage, scene: Scene) -> None:
    """Prove that nothing is lost: go to a second in the middle of the fault, and compare with customers' orders."""
    middle = (scene.at["fault"] + scene.at["back"]) / 2
    to = moment(int(middle + time.time() - time.monotonic()))
    with Beside() as beside:
        said = stage.restore(beside, "commerce", to)
        if said.code:
            scene.problems.append(f"a time inside the fault cannot be restored: {said.text[-300:]}")
            return
        stage.compare_orders(beside, "commerce", to)
    scene.facts["restored_inside"] = {"to": to.isoformat(), "seconds": round(said.seconds, 1), **said.phases}


def orders_judged(scene: Scene, journal: Mapping[str, Any]) -> dict[str, Any]:
    """What customers met before, during and after; what they had not met before is a problem."""
    at = scene.at
    windows = {
        "before": window(journal, at["calm"], at["fault"]),
        "during": window(journal, at["fault"], at["back"]),
        "after": window(journal, at["back"], at["caught up"]),
    }
    scene.problems += delayed(windows["before"], windows["during"])
    return {"windows": windows}
