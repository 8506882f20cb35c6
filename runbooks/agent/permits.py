"""The permit as an agent keeps it: read from its site's API, and on its disk for the time after a reboot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from pydantic import ValidationError

from runbooks.permit import Permit, read_permits
from shopsphere.clients.cluster import Cluster
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.foundation.exchanged import LAST_EPOCH, Epoch, Exchanged, Name
from shopsphere.foundation.files import write_whole

Kept = TypeVar("Kept", bound=Exchanged)


class Witnessed(Exchanged):
    """The newest epoch that the witness was known to be in, and the site that was active in it."""

    epoch: Epoch
    active: Name


class Permits(Protocol):
    """What an operator laid down for the time without the witness."""

    session: str

    @property
    def kept(self) -> Permit | None:
        """The permit that was seen last, if it counts for this start of the agent."""

    @property
    def refused(self) -> str:
        """Why a permit that was found does not count; empty when none was refused."""

    @property
    def witnessed(self) -> Witnessed | None:
        """What was last known of the witness, also before this start; None when nothing was."""

    def look(self) -> Permit | None:
        """Read the permits from the site's API; raises ShopSphereError when the API does not answer."""

    def remember(self, witnessed: Witnessed) -> None:
        """Keep on the disk what the witness said."""

    def refuse(self, permit: Permit, why: str) -> None:
        """Let a permit count no more, until it is given anew."""

    def take_up_again(self) -> None:
        """Let the permit count that was refused last, if it is still the newest."""


class PermitKeeper:
    """The newest permit that this agent has seen.

    An epoch is decided once: a permit for an epoch that is known with another active site is refused, and so is one
    that skips an epoch. Otherwise one slip of the keyboard would make every later decision void.

    Args:
        file: on the agent's disk.
        cluster: returns this site's API; may raise ShopSphereError.
        pair: name of the pair.
        site: this one.
        peer: the other site of the pair.
        session: names this start of the agent.
        node: of a further node of a site; empty for the agent of the site.

    Raises:
        ShopSphereError: what an earlier start kept cannot be read.
    """

    def __init__(
        self,
        file: Path,
        cluster: Callable[[], Cluster],
        *,
        pair: str,
        site: str,
        peer: str,
        session: str,
        node: str = "",
    ) -> None:
        self._file, self._cluster, self._pair, self._site, self.session = file, cluster, pair, site, session
        self._node = node
        self._sites = frozenset({site, peer})
        self._witnessed_file = file.with_suffix(".witnessed.json")
        self._newest = kept_in(Permit, file)
        self.witnessed = kept_in(Witnessed, self._witnessed_file)
        self._is_kept = True  # on the disk
        self._void: Permit | None = None
        self.refused = ""

    @property
    def kept(self) -> Permit | None:
        """The newest permit, unless it opens this site and was refused or given to another start of the agent."""
        newest = self._newest
        if newest is None or newest == self._void:
            return None
        opens_other = newest.active == self._site and newest.session_of(self._node) != self.session
        return None if opens_other else newest

    def look(self) -> Permit | None:
        """Read the permits from the API, the oldest first; one that is taken is on the disk before it counts.

        Raises:
            ClusterError: the API does not answer.
        """
        refused = ""
        for found in read_permits(self._cluster()):
            if any(found.epoch < known.epoch for known in (self._newest, self.witnessed) if known):
                continue  # history
            if problem := self._problem(found):
                refused = problem
            elif found != self._newest:
                write_whole(self._file, found.model_dump_json(indent=2))
                self._newest = found
        if refused or self._newest != self._void:
            self.refused = refused
        return self.kept

    def remember(self, witnessed: Witnessed) -> None:
        """Keep what the witness said; an older epoch replaces nothing.

        Raises:
            OSError: it counts, but is not on the disk; the next call tries again.
        """
        if self.witnessed is None or self.witnessed.epoch < witnessed.epoch:
            self.witnessed, self._is_kept = witnessed, False
        if not self._is_kept:
            write_whole(self._witnessed_file, self.witnessed.model_dump_json())
            self._is_kept = True

    def refuse(self, permit: Permit, why: str) -> None:
        """Let this very permit count no more; the same decision, given anew, is another one."""
        self._void, self.refused = permit, why

    def take_up_again(self) -> None:
        """Let the permit count that was refused last, if it is still the newest."""
        self._void, self.refused = None, ""

    def _problem(self, found: Permit) -> str:
        """Return why a permit may not be taken; empty when it may."""
        if found.pair != self._pair or found.active not in self._sites:
            return f"a permit for {found.active} of {found.pair}: it is not for this pair"
        if found.epoch > LAST_EPOCH:  # refused here and not in reading, so that it keeps nobody from an honest one
            return f"a permit for epoch {found.epoch}: no pair has so many epochs"
        newest = self._newest
        if newest and newest.epoch == found.epoch and not newest.decides_as(found):
            return f"a permit for {found.active}: epoch {found.epoch} is {newest.active}'s, by {newest.actor}"
        said = self.witnessed
        if said and said.epoch == found.epoch and said.active != found.active:
            return f"a permit for {found.active}: epoch {found.epoch} is {said.active}'s, by the witness"
        known = max(
            (each.epoch for each in (newest, self.witnessed) if each is not None),
            default=None,
        )
        if known is not None and found.epoch > known + 1:
            return f"a permit for epoch {found.epoch}: after epoch {known} comes {known + 1}"
        return ""


def kept_in(kind: type[Kept], file: Path) -> Kept | None:
    """Return what an earlier start of the agent kept; None when there is none.

    Raises:
        ShopSphereError: it cannot be read. The site stays shut off: what is not known opens nothing.
    """
    try:
        return kind.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise ShopSphereError.build(
            f"{file} cannot be read",
            expected=f"a {kind.__name__.lower()} as this version, or another one, has kept it",
            found=one_line(error)[:200],
            action="find out who wrote it; move it away only when the witness answers and says which site is active",
        ) from error
