"""The hosts of a site under watch: a kernel tells of no changes through an API, so that each is asked repeatedly."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from shopsphere.drift.host_finding import ALL_HOSTS, table_of
from shopsphere.drift.looking import together
from shopsphere.drift.model import Drift, SiteDrift, Unseen
from shopsphere.drift.settling import identity
from shopsphere.foundation.errors import told

POLL_SECONDS = 5.0
"""Pause (s) between two looks; with the second look at a difference that is found within eight."""
FIRST_SECONDS = 15.0
"""So long (s) a site's watch waits for the first look at its hosts."""

Publish = Callable[[SiteDrift], object]


class HostsWatch:
    """The hosts of one site.

    Args:
        site: its name.
        look: at all of its hosts.
        publish: is given all that is known of them whenever that differs.
    """

    def __init__(self, site: str, look: Callable[[], SiteDrift], publish: Publish) -> None:
        self._site, self._look, self._publish = site, look, publish
        self._published: SiteDrift | None = None

    def run(self, stopped: threading.Event) -> None:
        """Look until `stopped`."""
        while not stopped.is_set():
            self.step()
            stopped.wait(POLL_SECONDS)

    def step(self) -> None:
        """Look once, and tell what differs since the last time."""
        before = self._published
        try:
            found = self._look()
        except Exception as error:  # noqa: BLE001 - whatever keeps hosts from being looked at, nothing is known of them
            found = SiteDrift(self._site, unseen=(Unseen(self._site, ALL_HOSTS, told(error)),))
        if before is not None and found.unseen:  # what cannot be seen now is not gone
            seen = {*map(identity, found.drifts)}
            hidden = [each for each in before.drifts if _is_hidden(each, found.unseen)]
            kept = [each for each in hidden if identity(each) not in seen]
            found = replace(found, drifts=(*found.drifts, *kept))
        if before is None or (before.drifts, before.unseen) != (found.drifts, found.unseen):
            self._published = found
            self._publish(found)


def _is_hidden(drift: Drift, unseen: Sequence[Unseen]) -> bool:
    """Whether a finding is about a host that cannot be seen now."""
    place = table_of(drift.object)
    return any(each.what == ALL_HOSTS or (place and each.what.endswith(f" host {place[1]}")) for each in unseen)


class Joined:
    """Puts together what is known of a site's objects and of its hosts; any thread may call it.

    Args:
        site: its name.
        publish: is given both whenever either differs, from the first time on that its objects are known.
    """

    def __init__(self, site: str, publish: Publish) -> None:
        self._publish = publish
        self._one = threading.Lock()
        self._objects: SiteDrift | None = None
        self._hosts = SiteDrift(site, unseen=(Unseen(site, ALL_HOSTS, "not looked at yet"),))
        self.knows_hosts = threading.Event()

    def objects(self, found: SiteDrift) -> None:
        """Take what is known of the objects."""
        with self._one:
            self._objects = found
            self._tell()

    def hosts(self, found: SiteDrift) -> None:
        """Take what is known of the hosts."""
        with self._one:
            self._hosts = found
            self.knows_hosts.set()
            self._tell()

    def _tell(self) -> None:
        if self._objects is not None:
            self._publish(together(self._objects, self._hosts))
