"""Certificates of the edge end while runbooks write: a failover is told so, and each is renewed when it has ended."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from edge_dig import ask
from edge_host import EdgeHost
from present import present
from short_lived import ends_within, wait_for_end

from shopsphere.clients import powerdns
from shopsphere.clients.edge_errors import ServiceError, UnknownOutcomeError
from shopsphere.clients.edge_identity import RUNBOOKS, EdgeIdentity
from shopsphere.edge_door.keys import make_edge_keys
from shopsphere.foundation.authority_change import Step
from shopsphere.foundation.certificates import AuthorityEndedError
from shopsphere.foundation.clock import wait_until
from shopsphere.names.pair_state import PairDeclaration, PairState
from shopsphere.names.state_record import write_record

DUBLIN = "10.99.0.12"
pytestmark = pytest.mark.usefixtures("zone")


def connected(edge: EdgeHost, folder: Path) -> list[powerdns.DnsAuthority]:
    """As a runbook asks at its start."""
    servers = [(name, edge.dns_api(name)) for name in edge.settings.authorities]
    return powerdns.connect_to(servers, EdgeIdentity(folder, RUNBOOKS))


@pytest.mark.requirement("a certificate of the edge that ends is told as that, and renewed when it has ended")
def test_the_certificate_of_runbooks_ends(
    edge: EdgeHost, declaration: Callable[[str], PairDeclaration], tmp_path: Path
) -> None:
    keys = edge.settings.edge_keys
    names = [*edge.settings.authorities.values(), edge.settings.cdn]
    pair, desk = declaration("rdc-a"), tmp_path / "desk"
    ends_within(keys, RUNBOOKS, 3)
    shutil.copytree(keys, desk)
    runbook = connected(edge, desk)
    state = present(pair.valid(runbook[0].rrset(pair.zone, pair.name, "LUA")))
    following = PairState(state.epoch + 1, "dublin")
    wait_for_end(desk / f"{RUNBOOKS}.crt")
    with pytest.raises(ServiceError, match="edge-door keys") as refused:
        write_record(runbook, pair, following)
    assert not isinstance(refused.value, UnknownOutcomeError), "it is known: nothing was written"
    assert ask("rdc-a.shopsphere.test", at="10.99.0.53").addresses != [DUBLIN]

    make_edge_keys(keys, names)
    for each in EdgeIdentity(keys, RUNBOOKS).files:
        shutil.copy(each, desk)
    write_record(connected(edge, desk), pair, following)
    assert ask("rdc-a.shopsphere.test", at="10.99.0.53").addresses == [DUBLIN]
    write_record(connected(edge, desk), pair, PairState(state.epoch + 2, state.active))


@pytest.mark.requirement("an authority of the edge that has ended signs nothing, and is replaced")
def test_the_authority_ends(tmp_path: Path) -> None:
    make_edge_keys(tmp_path, ["203.0.113.53"])
    ends_within(tmp_path, "ca", 1)
    wait_for_end(tmp_path / "ca.crt")
    was = (tmp_path / "door.crt").read_bytes()
    with pytest.raises(AuthorityEndedError, match="`begin`, `sign` and `end`"):
        make_edge_keys(tmp_path, ["203.0.113.53"])
    for step in Step:
        make_edge_keys(tmp_path, ["203.0.113.53"], step)
    assert (tmp_path / "door.crt").read_bytes() != was
    EdgeIdentity(tmp_path, RUNBOOKS).context()
    wait_until(lambda: not list(tmp_path.glob("*.next.*")), what="nothing to be left", seconds=1)
