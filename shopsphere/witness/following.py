"""Which record of a pair may come after another one."""

from __future__ import annotations

from typing import Any

from shopsphere.witness.record import PairRecord, Sync
from shopsphere.witness.users import is_operator


def is_older(record: PairRecord, last: PairRecord, who: str) -> bool:
    """Whether a record was written before another one, or by somebody who did not know that.

    Somebody was shown an older record then: what he read there may have let him do what is not allowed any more. An
    agent that restores a record may know less than the other one, and does no harm by it.
    """
    if record.epoch < last.epoch or record.serial <= last.serial:
        return True
    harmless = not is_operator(who) and record.sync is Sync.OFF
    return not harmless and record.writer != last.writer and record.after < last.serial


def does_not_follow(record: PairRecord, last: PairRecord, most: int) -> str:
    """Return why a record cannot come after another one; empty where it can."""
    if record.epoch == last.epoch and record.active != last.active:
        return f"epoch {last.epoch} is {last.active}'s"
    if record.epoch > last.epoch + most:
        return f"after epoch {last.epoch} comes {last.epoch + 1}"
    return ""


def named(record: PairRecord) -> str:
    """Return what a record says, in a few words."""
    said: dict[str, Any] = {"epoch": record.epoch, "active": record.active, "phase": record.phase, "sync": record.sync}
    words = ", ".join(f"{name} {value}" for name, value in said.items())
    return f"{words}, by {record.actor[:80]!r}: {record.reason[:80]!r}"
