"""Voters of the Americas' pair are lost: one is borne; without a quorum nothing moves, but for break-glass."""

from collections.abc import Callable, Iterator

import pytest
from curl_customer import CurlCustomer
from lab_access import At, Lab, Sql
from lab_command import shopsphere
from moving_pair import ADDRESS, CLIENT, PRIMARY, RECOVERY, VOTERS, command, failover, record, require_active, state

from runbooks.engine import audit
from shopsphere.estate.paths import records_directory
from shopsphere.estate.stack import Environment
from shopsphere.foundation.clock import wait_until
from shopsphere.witness import Sync, Witness

pytestmark = pytest.mark.long
WORDS = ("--reason", "two voters are flooded, incident 4711")


class LostVoters:
    """Cuts the power of voters until they are given back."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._off: list[str] = []

    def __call__(self, host: str) -> None:
        self._lab("lab", "power-off", host)
        self._off.append(host)

    def give_back(self) -> None:
        while self._off:
            self._lab("lab", "power-on", self._off.pop())


@pytest.fixture(scope="module")
def voters(lab: Lab) -> Iterator[LostVoters]:
    """Cut the power of voters, for the block; whatever happens they are back afterwards."""
    lost = LostVoters(lab)
    yield lost
    lost.give_back()


@pytest.mark.requirement("failover works with one voter lost")
def test_one_voter_lost(at: At, sql: Sql, witness: Witness, voters: LostVoters) -> None:
    voters(VOTERS[0])
    failover("planned", RECOVERY)
    require_active(at, sql, witness, RECOVERY)
    failover("planned", PRIMARY)
    require_active(at, sql, witness, PRIMARY)


def test_break_glass_is_refused_while_the_witness_answers(witness: Witness) -> None:
    done = command("break-glass", *WORDS, "--accept-data-loss", check=False)
    assert done.returncode != 0
    assert "the witness answers" in done.stderr


@pytest.mark.requirement(
    "without a quorum a pair stops, a failover refuses and says why, break-glass lets one site write"
)
def test_no_quorum(
    at: At, sql: Sql, witness: Witness, voters: LostVoters, buy_at: Callable[[str], tuple[int, str]]
) -> None:
    epoch = record(witness).epoch
    voters(VOTERS[2])
    wait_until(lambda: not state(PRIMARY)["writes"], what="the site to shut itself off", seconds=20)
    assert not state(PRIMARY)["databases"]
    refused = failover("unplanned", RECOVERY, check=False)
    assert refused.returncode != 0
    assert "no quorum" in refused.stderr

    command("break-glass", "--to", PRIMARY, *WORDS)
    assert (state(PRIMARY)["writes"], state(RECOVERY)["writes"]) == (True, False)
    assert buy_at(PRIMARY)[0] == 303

    refused = command("break-glass", *WORDS, check=False)
    assert "--accept-data-loss" in refused.stderr
    command("break-glass", *WORDS, "--accept-data-loss")
    assert (state(PRIMARY)["writes"], state(RECOVERY)["writes"]) == (False, True)
    assert buy_at(RECOVERY)[0] == 303

    voters.give_back()
    wait_until(lambda: _epoch(witness) == epoch + 2, what="the witness to be in the permitted epoch", seconds=60)
    wait_until(lambda: witness.see().lease_holder == RECOVERY, what="the lease", seconds=30)
    require_active(at, sql, witness, RECOVERY)
    assert not state(PRIMARY)["databases"], "the other site stays shut off"


@pytest.mark.requirement("after break-glass the pair is made whole as after any failover; the path is audited")
def test_afterwards(at: At, sql: Sql, witness: Witness, lab: Lab) -> None:
    lab("lab", "free-volumes", PRIMARY)  # what earlier rebuilds have kept
    shopsphere("rebuild", PRIMARY, "--execute", "--reason", "test", seconds=700)
    failover("planned", PRIMARY)
    require_active(at, sql, witness, PRIMARY)
    assert record(witness).sync is Sync.ON
    log = records_directory(Environment.LAB) / "audit.jsonl"
    audit.verify_chain(log)
    assert log.read_text().count('"runbook":"break_glass"') >= 4
    assert "incident 4711" in log.read_text()


@pytest.fixture
def buy_at(at: At) -> Callable[[str], tuple[int, str]]:
    """Order at one site, whatever DNS says; returns the status and where the receipt is."""

    def buy(site: str) -> tuple[int, str]:
        customer = CurlCustomer(at, CLIENT, ADDRESS[site])
        wait_until(lambda: gateway_lets_writes_through(at, site), what=f"the gateway of {site} to know", seconds=15)
        customer.fill_cart("tidal-rings-tee")
        return customer.send(customer.checkout_form())

    return buy


def gateway_lets_writes_through(at: At, site: str, times: int = 5) -> bool:
    """Whether a form reaches the shop, which refuses it for what it lacks; while a site is shut the answer is 503.

    Asked several times, because each connection may reach another one of the site's gateways.
    """
    resolve = f"www.shopsphere.test:443:{ADDRESS[site]}"
    words = ("-sS", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", "--resolve", resolve, "-d", "")
    codes = (at(CLIENT, "curl", *words, "https://www.shopsphere.test/cart/items", check=False) for _ in range(times))
    return all(code.stdout not in {"503", "000"} for code in codes)


def _epoch(witness: Witness) -> int:
    try:
        return record(witness).epoch
    except Exception:  # noqa: BLE001 a witness that is starting answers with whatever it has
        return 0
