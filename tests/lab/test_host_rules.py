"""What is done with nft on the hosts of a running pair is found, and put back by their agents."""

import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from drift_looks import looked
from lab_access import At, Lab

from lab.paths import disk_directory
from runbooks.agent.state import REPLICA_LASTS
from shopsphere.estate.databases import POSTGRESQL_PORT
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.exit_code import ExitCode

FENCE, GUARD = ("inet", "shopsphere_fence"), ("ip", "shopsphere_pod_guard")
SITE = "dublin"
TAP = "table inet tap { chain in { type filter hook prerouting priority -300; meta mark set 0x20000; }; }"


@pytest.fixture
def spoiled(at: At) -> Iterator[None]:
    at(SITE, "nft", "flush", "chain", *GUARD, "forward")
    at(SITE, "nft", TAP)
    yield
    at(SITE, "nft", "delete", "table", "inet", "tap", check=False)
    at(SITE, "nft", "-f", str(disk_directory(SITE) / "pod-guard.nft"))


def drift(lab: Lab, site: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return findings and gaps about the hosts of a site."""
    found = looked(lab, site)
    findings = [each for each in found["findings"] if each["object"].startswith("nftables ")]
    return findings, [each for each in found["unseen"] if "host" in each["what"]]


@pytest.mark.requirement("hosts that enforce what is declared are clean, of each kind of site")
@pytest.mark.parametrize("site", ["frankfurt", "dublin", "ashburn"])
def test_hosts_are_clean(lab: Lab, site: str) -> None:
    assert drift(lab, site) == ([], [])


@pytest.mark.requirement("a deployed pair is clean: nobody's own work is taken for somebody else's")
@pytest.mark.parametrize("pair", ["rdc-a", "rdc-b"])
def test_a_deployed_pair_is_clean(lab: Lab, pair: str) -> None:
    found = looked(lab, pair)
    assert (found["findings"], found["unseen"]) == ([], [])


@pytest.mark.requirement("what is done with nft on a host is found, and --repair puts back what is declared")
@pytest.mark.usefixtures("spoiled")
def test_what_is_done_with_nft_is_found_and_put_back(lab: Lab) -> None:
    found, unseen = drift(lab, SITE)
    assert unseen == []
    assert {(each["object"], each["kind"]) for each in found} == {
        (f"nftables {' '.join(GUARD)} at {SITE}", "removed"),
        (f"nftables inet tap at {SITE}", "undeclared"),
    }
    assert all(each["severity"] == "critical" for each in found)
    assert lab("drift", SITE, "--repair", "--yes", check=False).code == ExitCode.CHANGES, "a stranger's table is left"
    (tap,), _ = drift(lab, SITE)
    words = shlex.split(tap["repair"])
    assert words[0] == "shopsphere"
    lab(*words[1:])
    assert drift(lab, SITE) == ([], [])


@pytest.mark.requirement("the fence of a site that serves or follows does not stay as somebody has changed it")
def test_a_spoiled_fence_is_loaded_anew(at: At) -> None:
    at(SITE, "nft", "insert", "rule", *FENCE, "forward", "tcp", "dport", str(POSTGRESQL_PORT), "accept")

    def is_as_declared() -> bool:
        return "accept" not in at(SITE, "nft", "list", "chain", *FENCE, "forward").stdout.split("policy accept", 1)[1]

    wait_until(
        is_as_declared, seconds=REPLICA_LASTS + 60, what=f"the fence of {SITE} to be as it is declared", interval=1.0
    )
