"""A site's agent as the product runs it, at real voters; its databases and its kernel's fence are plain values."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Never, cast

from seated_voters import PAIR, SeatedVoters

from runbooks.agent.agent import Agent
from runbooks.agent.believing import BeliefKeeper
from runbooks.agent.config import AgentConfig
from runbooks.agent.databases import Role
from runbooks.agent.loops import Loop
from runbooks.agent.node import witness_of_agent
from runbooks.agent.own_certificates import with_certificates
from runbooks.agent.permits import PermitKeeper
from runbooks.agent.synchrony import Ledger
from shopsphere.clients.cluster import Cluster
from shopsphere.foundation.clock import SYSTEM_CLOCK, wait_until
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.witness.keys import hand_out, user_files
from shopsphere.witness.users import agent_user


class KeptFence:
    """In place of the kernel, which forgets an opening at the end of its time (monotonic, s)."""

    until = 0.0

    def close(self) -> None:
        self.until = 0.0

    def open(self, seconds: float) -> None:
        self.until = SYSTEM_CLOCK.monotonic() + seconds

    @property
    def is_open(self) -> bool:
        return self.until > SYSTEM_CLOCK.monotonic()


class NoLedger:
    """The site's API is away."""

    def let_go(self) -> None:
        """Nothing is held."""

    def look(self) -> Never:
        raise ShopSphereError("the API is away")


class LeasedSite:
    """One site of the pair.

    Attributes:
        keys: the folder of its host with the agent's keys.
        role: of its databases.
        told: lines of its log.
    """

    def __init__(self, voters: SeatedVoters, site: str, role: Role) -> None:
        self.site, self.role, self.user, self._voters = site, role, agent_user(site), voters
        self.keys = voters.base / "hosts" / site
        self.bring_files()
        self.config = AgentConfig(
            pair=PAIR.name, site=site, peer=PAIR.other_than(site), first_active=PAIR.primary,
            witness=tuple(voters.urls), witness_keys=self.keys, witness_signed=True, kubeconfig=Path("/nowhere"),
            context=site, permit=self.keys / "permit.json", listen="127.0.0.1", run=self.keys / "run",
        )  # fmt: skip
        self.fence, self.told = KeptFence(), list[str]()
        self.witness = witness_of_agent(self.config)
        self._believing = BeliefKeeper(self.config, self.witness.belief)
        permits = PermitKeeper(
            self.config.permit, no_cluster, pair=PAIR.name, site=site, peer=self.config.peer, session=uuid.uuid4().hex
        )
        self.agent = Agent(
            self.config, self.witness, self.fence, lambda: self.role, lambda: True, cast("Ledger", NoLedger()), permits,
            self.told.append,
        )  # fmt: skip
        self.describe = with_certificates(self._believing.described(self.agent.describe), self.config)
        self._keeping = Loop(self._believing.keep_belief, lambda: 0.2, self.told.append)

    def bring_files(self) -> None:
        """Copy its host the agent's keys."""
        hand_out(user_files(self._voters.keys, self.user), self.keys)

    @property
    def writes(self) -> bool:
        """Whether customers' writes get through, as the kernel was told."""
        return self.agent.doors().writes and self.fence.is_open

    @property
    def is_writable(self) -> bool:
        """Whether its databases could be written, by anybody who reaches them."""
        return self.role is Role.PRIMARY and self.fence.is_open

    def wait_for_writes(self, *, seconds: float = 60) -> None:
        wait_until(lambda: self.writes, what=f"{self.site} to write", seconds=seconds, interval=0.05,
                   explain=lambda: "; ".join(self.told[-6:]))  # fmt: skip

    def wait_until_shut(self, *, seconds: float = 60) -> float:
        """Return how long that took (s)."""
        begun = time.monotonic()
        wait_until(lambda: not self.fence.is_open, what=f"{self.site} to be shut", seconds=seconds, interval=0.05)
        return time.monotonic() - begun

    def certificates(self) -> Mapping[str, str]:
        return cast("Mapping[str, str]", self.describe()["certificates"])

    @contextmanager
    def running(self) -> Iterator[None]:
        self.agent.start_closed()
        self._keeping.start()
        thread = threading.Thread(target=self.agent.run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._keeping.stop()
            self.agent.stop()
            thread.join(30)
            self.witness.close()


def no_cluster() -> Cluster:
    raise ShopSphereError("the API is away")


class Watched:
    """Looks all the time whether the databases of both sites could be written at once."""

    def __init__(self, *sites: LeasedSite) -> None:
        self._sites, self._ended = sites, threading.Event()
        self.looks, self.both = 0, 0

    def look(self) -> None:
        while not self._ended.wait(0.01):
            self.looks += 1
            self.both += all(each.is_writable for each in self._sites)

    @contextmanager
    def watching(self) -> Iterator[None]:
        thread = threading.Thread(target=self.look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join(30)
        assert self.both == 0
        assert self.looks > 100


@contextmanager
def both_sites(voters: SeatedVoters) -> Iterator[tuple[LeasedSite, LeasedSite]]:
    """The pair's sites with their agents; the primary one writes, and at no moment do both."""
    one, other = LeasedSite(voters, PAIR.primary, Role.PRIMARY), LeasedSite(voters, PAIR.recovery, Role.REPLICA)
    with one.running():
        one.wait_for_writes()
        with other.running(), Watched(one, other).watching():
            yield one, other
