"""Hosts refuse who has no business there, write it down, and do so again after a power loss."""

import json
from contextlib import suppress

import moving_pair
import pytest
from drift_looks import looked
from lab_access import At, Lab

from lab.cluster.addons import kubectl
from lab.host_firewall import LOG
from lab.leading import leading_pod
from lab.paths import log_directory
from shopsphere.estate.host_firewall import FIREWALL_TABLE
from shopsphere.foundation.clock import WaitExpiredError, wait_until
from shopsphere.topology import load_topology
from shopsphere.witness import Witness

TRY = """
import json, socket, sys
def tried(place):
    with socket.socket() as line:
        line.settimeout(15)
        line.bind(("", 0))
        own = line.getsockname()[1]
        try:
            line.connect(tuple(place))
        except OSError as error:
            return type(error).__name__, own
        return "open", own
print(json.dumps([tried(each) for each in json.loads(sys.argv[1])]))
"""
REFUSED = "ConnectionRefusedError"
# From a customer's host: API server, agent, kubelet, a voter, the APIs of the edge, the archive, the payment provider.
CLOSED_TO_CUSTOMERS = [
    ("10.99.0.11", 6443, "frankfurt"),
    ("10.99.0.11", 8405, "frankfurt"),
    ("10.99.0.11", 10250, "frankfurt"),
    ("10.99.0.11", 10256, "frankfurt"),
    ("10.99.0.11", 2490, "frankfurt"),
    ("10.99.0.40", 2480, "newyork"),
    ("10.99.0.53", 8081, "edge"),
    ("10.99.0.80", 8082, "edge"),
    ("10.99.0.61", 8443, "archive-eu"),
    ("10.99.0.70", 8070, "psp"),
]


def tried(at: At, host: str, *places: tuple[str, int]) -> list[tuple[str, int]]:
    """Return what became of each attempt, and from which port it was made."""
    answers = json.loads(at(host, "python3", "-c", TRY, json.dumps(places)).stdout)
    return [(found, own) for found, own in answers]


def outcomes(at: At, host: str, *places: tuple[str, int]) -> list[str]:
    return [found for found, _ in tried(at, host, *places)]


def lines_of(host: str) -> list[str]:
    """Return a host's refusals; the log may get its second name between two looks, so the file of that comes second."""
    files = [log_directory(host) / f"{LOG}.log{end}" for end in ("", ".1")]
    return [line for file in files if file.exists() for line in file.read_text().splitlines()]


def is_refused_and_written(at: At, place: tuple[str, int], host: str, *texts: str) -> bool:
    """Try anew, and look for the line of this attempt: those of earlier ones, also of other tests, are no proof.

    A source that was noisy just before has a bound on its lines, so that one attempt may leave none.
    """
    ((found, own),) = tried(at, "client-us", place)
    assert found == REFUSED
    words = ("SRC=10.99.80.10 ", f"SPT={own} ", *texts)
    with suppress(WaitExpiredError):
        wait_until(
            lambda: any(all(each in line for each in words) for line in lines_of(host)), what="its line", seconds=5
        )
        return True
    return False


@pytest.mark.requirement("hosts' firewalls let in who belongs there; a refused attempt is seen in a log")
@pytest.mark.parametrize(("address", "port", "host"), CLOSED_TO_CUSTOMERS)
@pytest.mark.usefixtures("lab")
def test_a_customer_is_refused_and_written_down(at: At, address: str, port: int, host: str) -> None:
    line = (f"DST={address} ", f"DPT={port} ")
    wait_until(
        lambda: is_refused_and_written(at, (address, port), host, *line),
        what=f"a line of {host} with {line}",
        seconds=120,
    )


@pytest.mark.requirement("hosts' firewalls let in who belongs there")
@pytest.mark.usefixtures("lab")
def test_customers_reach_what_is_theirs(at: At) -> None:
    theirs = (("10.99.0.11", 443), ("10.99.0.52", 53), ("10.99.0.53", 53), ("10.99.0.80", 443))
    assert outcomes(at, "client-us", *theirs) == ["open"] * 4


@pytest.mark.requirement("what policies refuse is seen in a log, too")
def test_what_policies_refuse_at_a_nodes_port_is_written_down(at: At, witness: Witness) -> None:
    # Where writes are open: at the other site the fence is first. Of several nodes, where the database leads.
    site = load_topology(environment="lab").site(moving_pair.record(witness).active)
    pod = ["pod", leading_pod(site.name, "commerce"), "-n", "data-commerce"]
    node = kubectl(site.name, "get", *pod, "-o", "jsonpath={.spec.nodeName}").strip()
    address = str(dict(zip(site.nodes, site.addresses, strict=True))[node])
    wait_until(
        lambda: is_refused_and_written(at, (address, 30032), node, "DPT=5432 "),
        what=f"a line of {node}",
        seconds=120,
    )


@pytest.mark.full
@pytest.mark.requirement("a host that comes back lets in the same")
def test_it_is_there_again_after_a_power_loss(lab: Lab, at: At) -> None:
    lab("lab", "power-off", "archive-eu")
    lab("lab", "power-on", "archive-eu")
    wait_until(
        lambda: FIREWALL_TABLE in at("archive-eu", "nft", "list", "tables", check=False).stdout,
        what="its firewall",
        seconds=120,
    )
    archive = ("10.99.0.61", 8443)
    wait_until(lambda: outcomes(at, "frankfurt", archive) == ["open"], what="the archive", seconds=120)
    assert outcomes(at, "client-us", archive) == [REFUSED]


@pytest.mark.requirement("drift compares what hosts let in")
@pytest.mark.parametrize("site", ["frankfurt", "dublin"])
def test_hosts_of_a_site_let_in_what_is_declared(lab: Lab, site: str) -> None:
    found = looked(lab, site)
    rules = [each for each in found["findings"] if each["object"].startswith("nftables ")]
    # What else differs is another test's; what could not be seen of a host is not clean.
    assert (rules, [each for each in found["unseen"] if "host" in each["what"]]) == ([], [])
