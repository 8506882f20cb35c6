"""An operator's certificate ends in the middle of a run: it stops before the next change, and goes on when renewed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from leased_site import LeasedSite, both_sites
from present import present
from seated_voters import ANNA, PAIR, TOPOLOGY, SeatedVoters, seated_voters
from short_lived import ends_within, wait_for_end

from cli.main import run
from runbooks.agent.databases import Role
from runbooks.change import PLANNED, RoleChange
from runbooks.engine import Journal, Runbook, RunFacts, Step, StepFailedError, run_runbook
from runbooks.operate import FAILOVER, Request, steps_of
from runbooks.operator_lock import operator_lock, owner_now
from runbooks.pair_access import PairAccess
from shopsphere.estate.stack import Environment
from shopsphere.witness import PairRecord, Phase
from shopsphere.witness.keys import hand_out, user_files
from shopsphere.witness.operators import acting_as
from shopsphere.witness.users import WATCHER

OF_WITNESS = (3, 4, 5, 6)
"""Steps of a planned failover that change the record, and wait for the new site's agent; the others ask sites."""
pytestmark = pytest.mark.requirement(
    "a run whose operator's certificate ends stops before its next change, and goes on"
)


@pytest.fixture(scope="module")
def voters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeatedVoters]:
    with seated_voters(tmp_path_factory.mktemp("operator")) as started:
        yield started


class Ways(PairAccess):
    """The ways to a pair whose agents are in this process, and whose names nobody has to move."""

    sites: dict[str, LeasedSite]

    def agent_state(self, site: str, **_bounds: str) -> dict[str, Any]:
        agent = self.sites[site].agent
        return {**agent.describe(), "because": agent.doors().because}

    def last_agent_state(self, site: str) -> dict[str, Any]:
        return self.agent_state(site)


def steps(demote: Callable[[], None] = lambda: None) -> Runbook:
    """Those of the witness, and in place of the fourth one, which takes its time at the sites, `demote`."""
    whole = steps_of(Request(FAILOVER, PAIR.name, Environment.LAB, PLANNED, "", "t", accept_data_loss=False))
    done = list[bool]()

    def act(_change: RoleChange) -> None:
        demote()
        done.append(True)

    def stands_in(step: Step) -> Step:
        return replace(step, check=lambda _change: "", act=act, verify=lambda _change: bool(done), once=False)

    chosen = (stands_in(each) if each.number == 4 else each for each in whole.steps)
    return replace(whole, steps=tuple(each for each in chosen if each.number in OF_WITNESS))


class Run:
    """A failover from one process, which ends with each call.

    Args:
        keys: folder of this operator's machine.
    """

    def __init__(self, voters: SeatedVoters, keys: Path, journals: Path, sites: dict[str, LeasedSite]) -> None:
        self._voters, self._keys, self._journals, self._sites = voters, keys, journals, sites

    def carry_out(self, runbook: Runbook) -> None:
        """Go on where it stopped."""
        with closing(self._voters.witness(ANNA, self._keys, seconds=1.5)) as witness:
            access = Ways(TOPOLOGY, PAIR, Environment.LAB, witness)
            access.sites = self._sites
            owner = acting_as(ANNA)
            left = Journal.unfinished(self._journals, pair=PAIR.name)
            with operator_lock(witness, owner_now(owner, "test")) as lock:
                facts = RunFacts(FAILOVER, PLANNED, PAIR.name, owner, "test")
                with (
                    Journal.resume(left.path, actor=owner) if left else Journal.start(self._journals, facts) as journal
                ):
                    change = RoleChange(access, "frankfurt", "dublin", 1, PLANNED, owner, "test", journal=journal,
                                        lock=lock)  # fmt: skip
                    run_runbook(runbook, change, journal, may_act=change.require_lock)


def record(voters: SeatedVoters) -> PairRecord:
    with closing(voters.witness(WATCHER)) as watcher:
        return present(watcher.see().record)


def test_it_ends_between_two_steps(voters: SeatedVoters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    voters.commands(monkeypatch)
    keys = tmp_path / "keys"
    certificate = keys / f"{ANNA}.crt"
    with both_sites(voters) as (frankfurt, dublin):
        begun = record(voters)
        ends_within(voters.keys, ANNA, 8)
        hand_out(user_files(voters.keys, ANNA), keys)
        failover = Run(voters, keys, tmp_path / "runs", {each.site: each for each in (frankfurt, dublin)})

        def demote() -> None:
            frankfurt.role = Role.REPLICA
            wait_for_end(certificate)

        with pytest.raises(StepFailedError) as stopped:
            failover.carry_out(steps(demote))
        said = str(stopped.value)
        assert "05-advance-epoch" in said
        assert f"{ANNA}.crt on this machine ENDED" in said
        now = present(dublin.witness.belief.last)  # who has believed it once goes on
        assert (now.epoch, now.active, now.phase) == (begun.epoch, "frankfurt", Phase.DRAINING), "nothing more was done"
        assert not dublin.writes

        with pytest.raises(Exception, match=rf"{ANNA}\.crt on this machine ENDED"):
            failover.carry_out(steps())
        assert run(["witness", "keys", PAIR.name, str(voters.base), *voters.words()]) == 0
        hand_out(user_files(voters.keys, ANNA), keys)
        # What the former certificate had signed last is believed by nobody who reads it now for the first time.
        with pytest.raises(StepFailedError, match="witness sign rdc-a --epoch N --active SITE`, as both agents"):
            failover.carry_out(steps())
        assert run(["witness", "sign", PAIR.name, "--epoch", "1", "--active", "frankfurt"]) == 0
        failover.carry_out(steps(lambda: None))
        now = record(voters)
        assert (now.epoch, now.active, now.phase) == (begun.epoch + 1, "dublin", Phase.STEADY)
        dublin.role = Role.PRIMARY
        dublin.wait_for_writes()
        assert not frankfurt.is_writable
