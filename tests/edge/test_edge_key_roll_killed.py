"""The zone's key is rolled by processes that are killed at each step, while a pair is failed over again and again.

In place of waiting for a TTL the resolver's cache is emptied and the roll's clock put forward: a resolver then has
nothing of before either. `test_edge_key_roll.py` waits for real.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest
from edge_dig import ask
from edge_host import EdgeHost
from present import present

from lab.edge.parent import show_ds
from runbooks.engine import Journal, StepFailedError
from runbooks.engine.crash import VARIABLE
from runbooks.zone_roll.records import ROLLS
from runbooks.zone_roll.run import answers_of, roll_key
from runbooks.zone_roll.zone_roll import ZoneRoll
from shopsphere.clients import powerdns
from shopsphere.clients.edge_identity import RUNBOOKS
from shopsphere.foundation.process import run
from shopsphere.names.pair_state import PairDeclaration, PairState
from shopsphere.names.state_record import write_record
from shopsphere.names.zone_keys import ZoneKey, kept_keys
from shopsphere.names.zone_proof import prove
from shopsphere.topology import Topology

ZONE, RESOLVER = "shopsphere.test.", "10.99.0.52"
SERVERS = tuple(map(IPv4Address, ("10.99.0.53", "10.99.0.54")))
ADDRESSES = {"frankfurt": "10.99.0.11", "dublin": "10.99.0.12"}
FORK = multiprocessing.get_context("fork")
KILLS = ("1:acted", "2:before", "2:acted", "3:before", "3:acted", "3:verified", "4:acted")
"""Until the registrar is asked."""
KILLS_AFTER = ("5:verified", "6:acted", "7:before", "7:acted", "7:verified", "8:before", "8:verified")
pytestmark = pytest.mark.usefixtures("zone")


@contextmanager
def apart(work: Callable[[Event], Any], found: list[Any]) -> Iterator[None]:
    """Let a process of its own work until the end; what it returns is appended to `found`."""
    ended, (reader, writer) = FORK.Event(), FORK.Pipe(duplex=False)

    def told(out: Connection) -> None:
        out.send(work(ended))

    process = FORK.Process(target=told, args=(writer,), daemon=True)
    process.start()
    try:
        yield
        ended.set()
        assert reader.poll(90)
        found.append(reader.recv())
    finally:
        ended.set()
        process.join(30)
        process.kill()


def customers(ended: Event) -> tuple[int, list[str]]:
    """Ask the resolver all the time; each answer has to be there and checked."""
    answers, problems = 0, list[str]()
    while not ended.wait(0.05):
        for name in ("rdc-a", "www", "rdc-b", "nothere"):
            question = dns.message.make_query(f"{name}.{ZONE}", "A", flags=dns.flags.RD | dns.flags.AD)
            try:
                answer = dns.query.udp(question, RESOLVER, timeout=20)
            except (OSError, dns.exception.DNSException) as error:
                problems.append(f"{name}: {type(error).__name__} {error}")
                continue
            wanted = dns.rcode.NXDOMAIN if name == "nothere" else dns.rcode.NOERROR
            if answer.rcode() != wanted or not answer.flags & dns.flags.AD:
                problems.append(f"{name}: {dns.rcode.to_text(answer.rcode())} {answer.flags:x}")
            answers += 1
    return answers, problems


@dataclass(frozen=True)
class Mover:
    """Fails the pair over, as its runbook does with its own certificate, and looks at both name servers."""

    authorities: list[powerdns.DnsAuthority]
    pair: PairDeclaration
    epoch: int

    def move(self, ended: Event) -> tuple[int, list[str]]:
        epoch, problems = self.epoch, list[str]()
        while not ended.wait(0.5) or epoch % 2 != self.epoch % 2:  # it ends where it began
            epoch += 1
            site = "dublin" if (epoch - self.epoch) % 2 else "frankfurt"
            try:
                write_record(self.authorities, self.pair, PairState(epoch, site))
                found = [ask("rdc-a.shopsphere.test", at=str(server)).addresses for server in SERVERS]
                if found != [[ADDRESSES[site]]] * 2:
                    problems.append(f"epoch {epoch}: {found}")
            except Exception as error:  # noqa: BLE001 - whatever it is, the test tells
                problems.append(f"epoch {epoch}: {type(error).__name__} {error}")
        return epoch - self.epoch, problems


def killed(roll: ZoneRoll, records: Path, at: str) -> None:
    """Go on with a roll in a process that is killed there."""

    def work() -> None:
        os.environ[VARIABLE] = at
        roll_key(roll, records, "test")

    process = FORK.Process(target=work, daemon=True)
    process.start()
    process.join(90)
    assert process.exitcode == -signal.SIGKILL, f"at {at}"


@pytest.mark.requirement("a roll that is killed at each step, during failovers, costs nobody an answer")
def test_a_roll_is_killed_at_each_step_during_failovers(
    edge: EdgeHost,
    authorities: list[powerdns.DnsAuthority],
    declaration: Callable[[str], PairDeclaration],
    topology: Topology,
    tmp_path: Path,
) -> None:
    folder = edge.settings.edge_keys / "zone-keys"
    (old,) = map(ZoneKey, kept_keys(folder))
    put_forward = [timedelta()]
    roll = ZoneRoll(ZONE, authorities, SERVERS, SERVERS, folder, answers_of(topology))
    roll = replace(roll, now=lambda: datetime.now(UTC) + put_forward[0])
    as_runbook = powerdns.connect_to(
        [(name, edge.dns_api(name)) for name in edge.settings.authorities], edge.identity(RUNBOOKS)
    )
    pair = declaration("rdc-a")
    state = present(pair.valid(authorities[0].rrset(pair.zone, pair.name, "LUA")))
    assert state.active == "frankfurt"

    def forget(seconds: int) -> None:
        """The resolver keeps nothing of before, and so much time is over."""
        run(["rec_control", f"--socket-dir={edge.settings.run / 'resolver'}", "wipe-cache", "shopsphere.test$"])
        put_forward[0] += timedelta(seconds=seconds)

    show_ds(edge.settings, ZONE, [old.ds(ZONE)])
    forget(0)
    found = list[Any]()
    with apart(customers, found), apart(Mover(as_runbook, pair, state.epoch).move, found):
        for at in KILLS:
            killed(roll, tmp_path, at)
        forget(70)
        (new,) = (ZoneKey(each) for each in kept_keys(folder) if each != old.dnskey)
        with pytest.raises(StepFailedError, match=f"IN DS {new.ds(ZONE)}, and no other"):
            roll_key(roll, tmp_path, "test")
        show_ds(edge.settings, ZONE, [new.ds(ZONE)])
        for at in KILLS_AFTER:
            killed(roll, tmp_path, at)
            if at == "6:acted":
                forget(40)
        roll_key(roll, tmp_path, "test")
        time.sleep(1)
    (moves, moving_problems), (answers, problems) = found
    assert (problems, moving_problems) == ([], [])
    assert answers > 100
    assert moves >= 4
    for server in SERVERS:
        assert prove(server, ZONE, [new.ds(ZONE)], answers_of(topology)).tags == {new.tag}
    assert list(kept_keys(folder)) == [new.dnskey]
    assert Journal.unfinished(tmp_path / ROLLS, pair=ZONE) is None
