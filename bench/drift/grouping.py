"""Which injections are there at the same time."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from injections import Injection
from pulumi_words import called


def batches(injections: Sequence[Injection], size: int, alone: Collection[str] = ()) -> list[list[Injection]]:
    """Return injections in batches: of one place and family, of different resources of its stack, in their order.

    Args:
        injections: all of them.
        size: of the largest batch.
        alone: keys of those that get a batch of their own: at most of what overwrites a declared value, a preview ends.
    """
    found: list[list[Injection]] = []
    for each in injections:
        fitting = (
            batch for batch in found
            if not {each.key, batch[0].key} & {*alone} and len(batch) < size
            and (batch[0].place, batch[0].family) == (each.place, each.family)
            and called(each) not in map(called, batch)
        )  # fmt: skip
        batch = next(fitting, None)
        if batch is None:
            found.append([each])
        else:
            batch.append(each)
    return found
