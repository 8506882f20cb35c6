"""Whether the active site serves its customers: its databases lead and have room, and its shop answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from runbooks.pair_access import PairAccess
from runbooks.readiness.p10_headroom import judge_disk
from runbooks.readiness.pair_view import PairView
from shopsphere.clients.postgres import FENCE
from shopsphere.clients.web import PageError, takes_forms
from shopsphere.estate.databases import DATABASES, DatabaseModel
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import one_line
from shopsphere.foundation.finding import Finding, fails, passes, together, unknown

LOOK_SECONDS = 8.0
"""Bound on a look (s)."""
LOOK_EVERY = 10.0
"""Pause between two looks (s): each enters the databases' pods, which is expensive."""
OLD_AFTER = 45.0
"""Seconds after which a look says nothing any more about now."""


def look_at_service(access: PairAccess) -> Finding:
    """Ask databases and shop of the active site, side by side; what does not answer is unknown.

    Raises:
        ShopSphereError: the witness does not say which site is active.
    """
    view = PairView(access, seconds=LOOK_SECONDS)
    works: dict[str, Callable[[], Finding]] = {"shop": partial(_shop, view)}
    for each in DATABASES:
        works[each.name] = partial(_database, view, each)
        works[f"disk of {each.name}"] = partial(_disk, view, each)
    view.active  # noqa: B018 - asked once, before all that need it
    return together(view.judge_each(works))


def judge_database(name: str, document: Mapping[str, Any], instance: Mapping[str, Any]) -> Finding:
    """Judge a database of the active site from its cluster's document and its leading instance's answer."""
    fenced = document["metadata"].get("annotations", {}).get(FENCE)
    if fenced not in {None, "", "[]"}:
        return fails(f"{name} is fenced: {fenced}", f"see who set {FENCE} on its cluster, and take it away")
    if instance["in_recovery"]:
        return fails(
            f"{name} takes no writes: it follows another one", "`shopsphere status`; see its agent and its log"
        )
    return passes(f"{name} takes writes")


def _database(view: PairView, database: DatabaseModel) -> Finding:
    document = view.document(view.active, database)
    fenced = judge_database(database.cluster(view.active), document, {"in_recovery": False})
    if not fenced.passed:
        return fenced  # its instance would not answer
    return judge_database(database.cluster(view.active), document, view.instance(view.active, database))


def _disk(view: PairView, database: DatabaseModel) -> Finding:
    return judge_disk(database.cluster(view.active), view.capacity(view.active, database).disk_used)


def _shop(view: PairView) -> Finding:
    site = view.access.topology.site(view.active)
    door = view.access.door(str(site.faces_customers_at), seconds=LOOK_SECONDS / 2)
    try:
        door.page()
        forms = takes_forms(door)
    except PageError as error:
        return fails(f"the shop at {site.name} does not answer: {one_line(error)}", f"`shopsphere status {site.name}`")
    if not forms:
        return fails(f"the shop at {site.name} takes no orders", f"`shopsphere status {site.name}`; ask its agent why")
    return passes(f"the shop at {site.name} answers")


@dataclass
class ServiceLook:
    """Looks at the service again and again in a thread of its own, so that a slow answer delays no watcher.

    Attributes:
        look: one look.
        clock: replaceable in tests.
    """

    look: Callable[[], Finding]
    clock: Clock = SYSTEM_CLOCK
    _found: Finding | None = None
    _at: float = 0.0

    def start(self) -> None:
        """Begin, until the process ends."""
        threading.Thread(target=self._go_on, name="service", daemon=True).start()

    def once(self) -> None:
        """Look, and keep what was found; what goes wrong is found, too."""
        try:
            found = self.look()
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing is known, and the next look may know
            found = unknown(one_line(str(error).partition("\n")[0]) or type(error).__name__)
        self._found, self._at = found, self.clock.monotonic()

    def last(self) -> Finding:
        """Return what was found last; not known before the first look, and when the last one is old."""
        if self._found is None:
            return unknown("databases and shop were not looked at yet")
        age = self.clock.monotonic() - self._at
        if age > OLD_AFTER:
            return unknown(f"databases and shop were looked at {age:.0f} s ago last")
        return self._found

    def _go_on(self) -> None:
        while True:
            self.once()
            self.clock.sleep(LOOK_EVERY)
