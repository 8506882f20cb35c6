"""A packet that is lost says nothing of a name server: a question is sent again within the same bound."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address

import dns.flags
import dns.message
import dns.rrset
import pytest

from shopsphere.clients.dns import NameServerError, ask_address
from shopsphere.foundation.clock import wait_until
from shopsphere.names import zone_proof

LOOPBACK = IPv4Address("127.0.0.1")
NAME = "www.shopsphere.test"
ALL = 3
"""Packets that are sent at most."""


def bound_of(lost: int) -> float:
    """Seconds for a question: where an answer comes, a third of them is more than the server's thread ever waits."""
    return 0.6 if lost == ALL else 3.0


@contextmanager
def losing(packets: int, records: str) -> Iterator[tuple[int, list[bytes]]]:
    """Run a name server that does not see the first packets; yields its port, and what reached the network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.bind((str(LOOPBACK), 0))
        link.settimeout(0.05)
        came: list[bytes] = []
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                try:
                    question, client = link.recvfrom(4096)
                except TimeoutError:
                    continue
                came.append(question)
                if len(came) > packets:
                    answer = dns.message.make_response(dns.message.from_wire(question))
                    answer.flags |= dns.flags.AA
                    answer.answer = [dns.rrset.from_text(answer.question[0].name, 60, "IN", *records.split(" ", 1))]
                    link.sendto(answer.to_wire(), client)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield link.getsockname()[1], came
        finally:
            ended.set()
            thread.join()


@pytest.mark.requirement("a lost packet is no fault of a name server, and a silent one is said within the bound")
@pytest.mark.parametrize("lost", [0, 1, 2, ALL])
def test_address(lost: int) -> None:
    with losing(lost, "A 10.0.0.9") as (port, came):
        if lost == ALL:
            with pytest.raises(NameServerError, match=r"within 0\.6 s"):
                ask_address(LOOPBACK, NAME, seconds=bound_of(lost), port=port)
        else:
            assert ask_address(LOOPBACK, NAME, seconds=bound_of(lost), port=port) == (IPv4Address("10.0.0.9"),)
        require_packets(came, lost)
        assert len(set(came)) == 1, "one question"


def require_packets(came: list[bytes], lost: int) -> None:
    """As many as were lost, and the one that was answered; the last one of all may come a moment after the error."""
    wanted = min(lost + 1, ALL)
    wait_until(lambda: len(came) >= wanted, what=f"{wanted} packets", seconds=20, interval=0.02)
    assert len(came) == wanted


@pytest.mark.parametrize("lost", [0, 2, ALL])
def test_ds(lost: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with losing(lost, f"DS 6499 13 2 {'ab' * 32}") as (port, came):
        monkeypatch.setattr(zone_proof, "_PORT", port)
        monkeypatch.setattr(zone_proof, "SECONDS", bound_of(lost))
        if lost == ALL:
            with pytest.raises(NameServerError, match=r"within 0\.6 s"):
                zone_proof.shown_ds(LOOPBACK, "shopsphere.test.")
        else:
            assert zone_proof.shown_ds(LOOPBACK, "shopsphere.test.").ds == {f"6499 13 2 {'ab' * 32}"}
        require_packets(came, lost)
