"""Ports for programs that tests start: two processes of tests never give the same one, nor one process twice."""

import socket

import pytest
from free_port import OUR_PORTS, free_port, own_ports


def test_processes_of_tests_have_ports_of_their_own() -> None:
    shares = [set(own_ports(f"gw{number}")) for number in range(8)]
    assert sum(map(len, shares)) == len(set().union(*shares)) == len(OUR_PORTS)
    assert set(own_ports("")) == shares[0]
    assert max(OUR_PORTS) < 32768, "the kernel's own choice for outgoing connections begins there"


def test_a_port_is_given_once_and_never_while_somebody_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw3")
    given = [free_port() for _ in range(50)]
    assert len(set(given)) == 50
    assert set(given) <= set(own_ports("gw3"))
    with socket.create_server(("127.0.0.1", given[0])):
        monkeypatch.setattr("free_port._GIVEN", set())
        monkeypatch.setattr("free_port.own_ports", lambda _worker: [given[0]] * 100)
        with pytest.raises(OSError, match="a hundred ports"):
            free_port()
