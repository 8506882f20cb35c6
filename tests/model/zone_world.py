"""A zone with two authorities and a parent in memory, whose key is rolled."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from edge_declaration import ZONE
from edge_fakes import FakeAuthority

from runbooks.engine import Journal, Runbook, RunRecord, StepFailedError, load_runbook
from runbooks.zone_roll import run as running
from runbooks.zone_roll import zone_roll as rolling
from runbooks.zone_roll.records import ROLLS
from runbooks.zone_roll.run import roll_key
from runbooks.zone_roll.zone_roll import ZoneRoll
from shopsphere.clients.powerdns import RRset
from shopsphere.names.zone_keys import ZoneKey, kept_keys, make_key, private_text
from shopsphere.names.zone_proof import Asked, Proof, Vouched

BEGIN = datetime(2026, 11, 29, 12, tzinfo=UTC)


@dataclass
class World:
    """Two authorities, their parent, and the time, which jumps by what a person waits."""

    folder: Path
    servers: list[FakeAuthority] = field(default_factory=lambda: [FakeAuthority("ns1"), FakeAuthority("ns2")])
    ds: set[str] = field(default_factory=set)
    ds_ttl: int = 0
    now: datetime = BEGIN

    def tags(self) -> list[set[int]]:
        return [{ZoneKey(each).tag for each in server.keys.values()} for server in self.servers]

    def roll(self, folder: Path | None = None) -> ZoneRoll:
        """Return the ways of a roll; another folder is that of another operator's machine."""
        parents = (IPv4Address("10.0.0.1"),)
        return ZoneRoll(ZONE, self.servers, parents, parents, folder or self.folder, (), now=lambda: self.now)

    def shown(self, _server: IPv4Address, _zone: str) -> Vouched:
        return Vouched(frozenset(self.ds), self.ds_ttl)

    def proven(self, _server: IPv4Address, _zone: str, _ds: Iterable[str], _asked: Iterable[Asked]) -> Proof:
        tags = frozenset.intersection(*map(frozenset, self.tags()))
        return Proof(tags, tags, self.now + timedelta(days=12), 5)

    def load(self, folder: Path) -> Runbook:
        """Load the steps, with a name server that shows what the authorities hold."""
        runbook = load_runbook(folder)
        for step in runbook.steps:
            known: dict[str, Any] = getattr(step.verify, "__globals__", {})
            if "published_tags" in known:
                known["published_tags"] = lambda *_: frozenset[int]().union(*self.tags())
        return runbook

    def go(self, records: Path, words: str = "", *, abort: bool = False, folder: Path | None = None) -> None:
        """Call the command; with words, it has to stop with them."""
        roll = self.roll(folder)
        if not words:
            roll_key(roll, records, "test", abort=abort)
            return
        with pytest.raises(StepFailedError, match=words):
            roll_key(roll, records, "test", abort=abort)

    def later(self, seconds: int) -> None:
        """Let time go by."""
        self.now += timedelta(seconds=seconds)

    def kept(self) -> list[ZoneKey]:
        return [ZoneKey(each) for each in kept_keys(self.folder)]

    def only_new(self, old: ZoneKey) -> ZoneKey:
        (new,) = (each for each in self.kept() if each != old)
        return new


def left(records: Path) -> RunRecord | None:
    """Return the unfinished roll."""
    return Journal.unfinished(records / ROLLS, pair=ZONE)


def zone_world(folder: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a zone whose longest TTL is an hour, and a parent whose DS lives for a day."""
    found = World(folder, ds_ttl=86400)
    key = make_key(found.folder)
    for server in found.servers:
        server.create_zone(ZONE, [RRset(f"www.{ZONE}", "A", 3600, ("10.0.0.9",))])
        server.add_zone_key(ZONE, private_text(kept_keys(found.folder)[key.dnskey]))
    found.ds = {key.ds(ZONE)}
    monkeypatch.setattr(rolling, "shown_ds", found.shown)
    monkeypatch.setattr(rolling, "prove", found.proven)
    monkeypatch.setattr(running, "load_runbook", found.load)
    return found
