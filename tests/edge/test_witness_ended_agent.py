"""An agent's certificate ends while it holds the lease: its site is shut, and the other one can be promoted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest
from leased_site import LeasedSite, both_sites
from present import present
from seated_voters import ANNA, PAIR, SEATS, SeatedVoters, seated_voters
from short_lived import ends_within, wait_for_end

from cli.main import run
from runbooks.agent.databases import Role
from runbooks.agent.own_certificates import WITNESS
from runbooks.readiness.agent_certificates import RENEW, ends_in
from shopsphere.foundation.certificate_ends import judge_certificates
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.finding import Verdict
from shopsphere.witness.belief import UnbelievedRecordError
from shopsphere.witness.operators import acting_as
from shopsphere.witness.store import WitnessConflictError

pytestmark = pytest.mark.requirement("a site whose agent's certificate has ended is shut, and never do two sites write")


@pytest.fixture(scope="module")
def voters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeatedVoters]:
    with seated_voters(tmp_path_factory.mktemp("ended")) as started:
        yield started


def said_of(site: LeasedSite) -> tuple[Verdict, str]:
    """What P7 of `ready` says of the certificates that an agent tells of."""
    ends = {whom: end for whom, end in ends_in(site.describe()).items() if whom == WITNESS}
    found = judge_certificates(ends, datetime.now(UTC), RENEW)
    return found.verdict, found.found


def test_the_certificate_of_the_active_site_ends(voters: SeatedVoters, monkeypatch: pytest.MonkeyPatch) -> None:
    voters.commands(monkeypatch)
    with both_sites(voters) as (frankfurt, dublin), closing(voters.witness(ANNA)) as operator:
        own = voters.keys / f"{frankfurt.user}.crt"
        assert said_of(frankfurt)[0] is Verdict.PASSED
        ends_within(voters.keys, frankfurt.user, 4)
        frankfurt.bring_files()
        wait_for_end(own)
        assert said_of(frankfurt)[0] is Verdict.FAILED
        assert "witness ENDED" in said_of(frankfurt)[1]
        # Lines that are open go on, as TLS looks at a certificate once; nothing can be signed any more.
        assert frankfurt.writes
        belief = frankfurt.witness.belief
        changed = present(belief.last).changed(actor="agent of frankfurt", reason="sync off")
        with pytest.raises(UnbelievedRecordError, match=r"agent-frankfurt\.crt on this machine ENDED"):
            belief.seal(changed)

        for seat in SEATS:
            voters.restart(seat)
            voters.wait()
        assert frankfurt.wait_until_shut() < 20
        assert not frankfurt.writes
        assert any("agent-frankfurt.crt on this machine ENDED" in line for line in frankfurt.told), frankfurt.told

        def moved() -> bool:
            seen = operator.see()
            begun = present(seen.record).changed(actor=acting_as(ANNA), reason="ended", epoch=2, active="dublin")
            try:
                operator.change(seen, begun, without_lease=True)
            except WitnessConflictError:
                return False
            return True

        wait_until(moved, what="the lease to run out", seconds=40, interval=0.2)
        assert not frankfurt.fence.is_open
        dublin.role = Role.PRIMARY
        dublin.wait_for_writes()

        # 3 a.m.: it has ended already. The command where keys are kept, and the files; nothing is started anew.
        assert run(["witness", "keys", PAIR.name, str(voters.base), *voters.words()]) == 0
        frankfurt.bring_files()
        assert said_of(frankfurt)[0] is Verdict.PASSED
        wait_until(lambda: present(frankfurt.agent.describe().get("witness"))["epoch"] == 2, what="news", seconds=30)
        assert not frankfurt.fence.is_open
        frankfurt.role = Role.REPLICA  # rebuilt
        wait_until(lambda: frankfurt.fence.is_open, what="frankfurt to follow", seconds=30)
        assert dublin.writes
