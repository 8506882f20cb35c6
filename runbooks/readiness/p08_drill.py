"""P8: moving this pair was rehearsed a few days ago, and it worked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from runbooks.readiness.drill_record import DrillRecord, Result, last_drill
from runbooks.readiness.pair_view import PairView
from shopsphere.estate.paths import records_directory
from shopsphere.foundation.finding import Finding, fails, passes

NAME = "The last drill was green and is less than a week old"
YOUNGER_THAN = timedelta(days=7)
CLOCKS_DIFFER = timedelta(minutes=5)
"""By which the clocks of two operators' machines may differ."""


def ask(view: PairView) -> Finding:
    """Read the record of the pair's last drill."""
    last = last_drill(records_directory(view.access.environment), view.pair.name, view.access.environment)
    return judge(view.pair.name, last, datetime.now(UTC))


def judge(pair: str, last: DrillRecord | None, now: datetime) -> Finding:
    """Judge a record; None: there never was a drill."""
    action = f'`shopsphere drill {pair} --execute --reason "..."`'
    if last is None:
        return fails("there was no drill of this pair", action)
    began = f"the drill of {last.began:%Y-%m-%d %H:%M} UTC"
    if last.result is Result.RED:
        return fails(f"{began} was red: {'; '.join(last.problems)}", f"fix that, then {action}")
    if last.ended is None:
        return fails(f"{began} has not ended", f"{action} goes on with it")
    age = now - last.ended
    if age < -CLOCKS_DIFFER:
        return fails(
            f"{began} was green and ended at {last.ended:%Y-%m-%d %H:%M} UTC, which is still to come",
            f"correct this machine's clock; if it is right, {action}",
        )
    if age >= YOUNGER_THAN:
        return fails(f"{began} was green and is {age.days} days old", action)
    moves = " and ".join(f"{move.target} in {move.total_seconds:.1f} s" for move in last.moves)
    return passes(f"{began} was green: {moves}")
