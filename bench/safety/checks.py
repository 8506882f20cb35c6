"""What must hold after every run, judged from the customers' own journal and from what the sites show afterwards."""

import uuid
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from math import inf
from typing import Any

Order = Mapping[str, Any]
Write = Sequence[Any]
"""(sent, answered, site)."""


def lost_or_doubled(orders: Iterable[Order], paid: Iterable[str]) -> list[str]:
    """Every acknowledged payment is there exactly once. `paid`: idempotency keys as the ledger has them.

    An order whose receipt still says that the payment is being confirmed is no acknowledged payment.
    """
    counts = Counter(paid)
    promised = [f"order-{uuid.UUID(each['order']).hex}" for each in orders if each["paid"]]
    lost = [key for key in promised if counts[key] == 0]
    doubled = [key for key, count in counts.items() if count > 1]
    return [f"payment lost: {key}" for key in lost] + [f"payment doubled: {key}" for key in doubled]


def unrecorded(charges: Iterable[str], paid: Iterable[str]) -> list[str]:
    """Nobody was charged for what the ledger does not know. `charges`: idempotency keys, as the provider has them."""
    return [f"charged, and not in the ledger: {key}" for key in sorted(set(charges) - set(paid))]


def lost_orders(orders: Iterable[Order], stored: Container[str]) -> list[Order]:
    """Acknowledged orders that `commerce` does not have; it is asynchronous, so that a power loss may take some."""
    return [each for each in orders if each["order"] not in stored]


def two_writers(writes: Sequence[Write], active: str, epochs: int) -> list[str]:
    """No two sites take writes in one epoch: the site that takes them changes at most as often as the epoch did.

    `writes`: (sent, answered, site); `active`: who takes them at first. A write was taken at some moment between the
    two, and an answer may come late; so they are judged by the order with the fewest changes that these times allow.
    """
    sequence = turns(writes, active)
    if len(sequence) - 1 > epochs:
        return [f"{epochs} change(s) of epoch, but writes were taken by {' then '.join(sequence[:8])}"]
    return []


def turns(writes: Sequence[Write], site: str) -> list[str]:
    """The shortest alternation of two sites, `site` first, in which every write falls into a turn of its own site.

    A turn lasts as long as it can: until a write of the other site, of which no earlier turn was, had been answered.
    """
    sequence = []
    while writes:
        until = min((answered for _, answered, by in writes if by != site), default=inf)
        writes = [each for each in writes if each[2] != site or each[0] > until]
        sequence.append(site)
        site = next((by for _, _, by in writes if by != site), site)
    return sequence


def uneven(balance: int, pending: Mapping[str, int]) -> list[str]:
    """Debits equal credits, and each order and payment has come to one final state."""
    found = [] if balance == 0 else [f"debits and credits differ by {balance}"]
    return found + [f"{count} {what} without a final state" for what, count in pending.items() if count]


def timeline(before: int, after: int, epochs: int) -> list[str]:
    """The ledger's history branches once per change of role, and never goes back."""
    if after < before or (epochs and after == before):
        return [f"timeline {before} before and {after} after {epochs} change(s) of epoch"]
    return []


def names(states: Mapping[str, object], epoch: int, active: str) -> list[str]:
    """Every DNS authority shows the witness's epoch and active site."""
    return [f"{name} shows {shown}, the witness {(epoch, active)}" for name, shown in states.items()
            if shown != (epoch, active)]  # fmt: skip


def silent_before(orders: Iterable[Order], fault: float) -> list[str]:
    """The shop took orders before the fault: otherwise what comes after it says nothing."""
    if any(each["public"] and each["acknowledged"] < fault for each in orders):
        return []
    return ["no order was acknowledged before the fault: nothing can be said of it"]


def silent(orders: Iterable[Order], over: float) -> list[str]:
    """The shop takes orders again under its public name when the fault is over."""
    if any(each["public"] and each["acknowledged"] > over for each in orders):
        return []
    return ["no order was acknowledged after the fault was over"]


def errors_shown(failures: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Customers who wait as long as a 503 asks them to see no error at all."""
    return [f"shown to a customer who waits: {kind} x {each['count']}" for kind, each in failures.items()
            if kind.startswith("patient: ")]  # fmt: skip


def elsewhere(failures: Mapping[str, Mapping[str, float]], orders: int) -> list[str]:
    """Customers of another region noticed nothing, and ordered."""
    said = [f"another region: {kind} x {each['count']}" for kind, each in failures.items()]
    return said if orders else [*said, "another region: no order at all"]
