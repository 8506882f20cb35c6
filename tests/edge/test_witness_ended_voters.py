"""Certificates of the voters, and their authorities, end while everything runs; each is renewed when it has ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from leased_site import LeasedSite, both_sites
from present import present
from seated_voters import PAIR, SEATS, SeatedVoters, seated_voters
from short_lived import ends_within, wait_for_end

from cli.main import run
from runbooks.readiness.p07_witness import judge
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.finding import Verdict
from shopsphere.witness.belief import UnbelievedRecordError
from shopsphere.witness.gateway import WitnessTlsError
from shopsphere.witness.users import WATCHER

AUTHORITIES = {"voter": "ca", "peer": "peers-ca"}
SIGN = ["witness", "sign", PAIR.name, "--epoch", "1", "--active", "frankfurt"]
pytestmark = pytest.mark.requirement("certificates of a witness that have ended are renewed with one command")


@pytest.fixture
def voters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SeatedVoters]:
    with seated_voters(tmp_path) as started:
        started.commands(monkeypatch)
        yield started


def said(voters: SeatedVoters) -> tuple[Verdict, str]:
    """What P7 of `ready` says of the voters."""
    with closing(voters.witness(WATCHER)) as watcher:
        found = judge(watcher.each_voter(), {})
    return found.verdict, found.found


def renew(voters: SeatedVoters, *words: str) -> int:
    """As it is typed where the keys are kept."""
    return run(["witness", "keys", PAIR.name, str(voters.base), *voters.words(), *words])


def require_well(voters: SeatedVoters, site: LeasedSite) -> None:
    wait_until(lambda: said(voters)[0] is Verdict.PASSED, what="P7", seconds=60, explain=lambda: said(voters)[1])
    site.wait_for_writes()


def test_what_voters_show_ends(voters: SeatedVoters) -> None:
    with both_sites(voters) as (frankfurt, _dublin):
        for seat in SEATS:
            ends_within(voters.keys, f"voter-{seat}", 3)
            voters.bring_files(seat)
        wait_for_end(voters.keys / f"voter-{SEATS[-1]}.crt")
        verdict, found = said(voters)
        assert verdict is Verdict.FAILED
        assert "certificate has expired" in found
        with closing(voters.witness(WATCHER)) as watcher, pytest.raises(WitnessTlsError, match="`witness keys`"):
            watcher.see()  # they answer: nobody may take the witness for lost
        assert renew(voters) == 0
        for seat in SEATS:
            voters.bring_files(seat)
        require_well(voters, frankfurt)  # nothing was started anew


def test_what_voters_show_each_other_ends(voters: SeatedVoters) -> None:
    with both_sites(voters) as (frankfurt, dublin):
        for seat in SEATS:
            ends_within(voters.keys, f"peer-{seat}", 3, authority="peers-ca")
            voters.bring_files(seat)
        wait_for_end(voters.keys / f"peer-{SEATS[-1]}.crt")
        assert said(voters)[0] is Verdict.PASSED, "lines that are open go on, and nobody outside sees these"
        for seat in SEATS:  # as after a cut between all of them
            voters.restart(seat)
        assert frankfurt.wait_until_shut() < 30
        assert said(voters)[0] is Verdict.FAILED
        assert not dublin.fence.is_open or not dublin.is_writable
        assert renew(voters) == 0
        for seat in SEATS:
            voters.bring_files(seat)
        require_well(voters, frankfurt)  # nothing was started anew


def test_the_authorities_end(voters: SeatedVoters, capfd: pytest.CaptureFixture[str]) -> None:
    with both_sites(voters) as (frankfurt, dublin):
        before = present(frankfurt.witness.belief.last)
        for stem in AUTHORITIES.values():
            ends_within(voters.keys, stem, 12, authority=stem)
        for seat in SEATS:
            voters.restart(seat)
            voters.wait()
        for site in (frankfurt, dublin):
            site.bring_files()
        frankfurt.wait_for_writes()
        wait_for_end(voters.keys / "ca.crt")
        assert said(voters)[0] is Verdict.FAILED

        capfd.readouterr()
        was = (voters.keys / f"{frankfurt.user}.crt").read_bytes()
        (voters.keys / f"{WATCHER}.crt").unlink()
        assert renew(voters) == 1, "what it would sign has ended, too"
        assert "an authority that has not ended" in "".join(capfd.readouterr())
        for step in ("begin", "sign", "end"):
            assert renew(voters, "--authority", step) == 0, "".join(capfd.readouterr())
        assert (voters.keys / f"{frankfurt.user}.crt").read_bytes() != was
        for seat in SEATS:
            voters.restart(seat)
        for site in (frankfurt, dublin):
            site.bring_files()
        voters.wait()
        require_well(voters, frankfurt)
        assert present(frankfurt.witness.belief.last).epoch == before.epoch

        with closing(voters.witness(WATCHER)) as watcher, pytest.raises(UnbelievedRecordError, match="authority"):
            watcher.see()  # who remembers nothing
        assert run(SIGN) == 0
        with closing(voters.witness(WATCHER)) as watcher:
            assert present(watcher.see().record).epoch == before.epoch
        assert frankfurt.writes
