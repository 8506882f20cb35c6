"""The permit as an agent keeps it: read from its site's API, and on its disk for the time after a reboot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from runbooks.permit import Permit, read_permit
from shopsphere.clients.cluster import Cluster
from shopsphere.foundation.files import write_whole


class Permits(Protocol):
    """What an operator laid down for the time without the witness."""

    session: str

    @property
    def kept(self) -> Permit | None:
        """The permit that was seen last, if it counts for this start of the agent."""

    def look(self) -> Permit | None:
        """Read the permit from the site's API; raises ShopSphereError when the API does not answer."""


class PermitKeeper:
    """The newest permit that this agent has seen.

    Args:
        file: on the agent's disk.
        cluster: returns this site's API; may raise ShopSphereError.
        site: this one.
        session: names this start of the agent.
    """

    def __init__(self, file: Path, cluster: Callable[[], Cluster], *, site: str, session: str) -> None:
        self._file, self._cluster, self._site, self.session = file, cluster, site, session
        self._newest = Permit.model_validate_json(file.read_text()) if file.exists() else None

    @property
    def kept(self) -> Permit | None:
        """The newest permit, unless it opens this site and was given to an earlier start of the agent."""
        newest = self._newest
        if newest is None or (newest.active == self._site and newest.session != self.session):
            return None
        return newest

    def look(self) -> Permit | None:
        """Read the permit from the API; one that is not older than the last is on the disk before it counts.

        Raises:
            ClusterError: the API does not answer.
        """
        found, newest = read_permit(self._cluster()), self._newest
        if found is not None and found != newest and (newest is None or found.epoch >= newest.epoch):
            write_whole(self._file, found.model_dump_json(indent=2))
            self._newest = found
        return self.kept
