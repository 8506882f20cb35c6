"""Which pods have a PostgreSQL server on this host, and who follows whom, as the kernel shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbooks.agent.own_servers import Server, servers_here

FIRST, SECOND = "0f2e5c1a-9a1b-4c3d-8e7f-001122334455", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
OF_FIRST = f"/kubepods/burstable/pod{FIRST}/abc"


def process(folder: Path, number: str, name: str, group: str, title: str = "postgres -D /data") -> None:
    (folder / number).mkdir()
    (folder / number / "comm").write_text(f"{name}\n")
    (folder / number / "cgroup").write_text(f"0::{group}\n")
    (folder / number / "cmdline").write_bytes(title.encode().replace(b"~", b"\0"))


def test_servers_are_found_by_their_pods(tmp_path: Path) -> None:
    process(tmp_path, "11", "postgres", OF_FIRST)
    process(tmp_path, "12", "postgres", OF_FIRST)
    systemd = f"kubepods-burstable-pod{SECOND.replace('-', '_')}.slice/cri-containerd-abc.scope"
    process(tmp_path, "13", "postgres", f"/kubepods.slice/kubepods-burstable.slice/{systemd}")
    process(tmp_path, "14", "haproxy", "/kubepods/burstable/pod11111111-2222-3333-4444-555555555555/abc")
    process(tmp_path, "15", "postgres", "/system.slice/postgresql.service")
    (tmp_path / "16").mkdir()  # it has just ended
    (tmp_path / "meminfo").write_text("not a process")
    assert servers_here(tmp_path) == {FIRST: Server(), SECOND: Server()}


@pytest.mark.requirement("only a server that is seen to follow is taken for harmless while the API is silent")
@pytest.mark.parametrize(
    ("title", "follows", "followers"),
    [
        ("postgres: ledger-frankfurt: walreceiver streaming 0/30000A8", True, []),
        ("postgres: walreceiver streaming 1A/F0000000~~~~", True, []),
        ("postgres: ledger-frankfurt: walreceiver ~~~", True, []),  # nothing was written since it is connected
        ("postgres: ledger-frankfurt: walsender postgres 127.0.0.1(49222) START_REPLICATION~", False, ["127.0.0.1"]),
        ("postgres: ledger-frankfurt: walreceiver waiting", False, []),
        ("postgres: ledger-frankfurt: startup recovering 000000010000000000000003", False, []),
        ("postgres: ledger-frankfurt: walreceiver streaming 10.244.1.7(5123) idle", False, []),  # a role of that name
        ("postgres: a: b walreceiver streaming 0/30000A8", False, []),
        ("postgres: ledger-frankfurt: walsender streaming_replica 10.244.1.7(41234) streaming 0/30000A8", False,
         ["10.244.1.7"]),
        ("postgres: walsender streaming_replica 10.244.1.7(41234) streaming 0/30000A8", False, ["10.244.1.7"]),
        ("postgres: ledger-frankfurt: walsender streaming_replica 10.244.1.7(41234) initializing", False, []),
        ('postgres: ledger-frankfurt: walsender streaming_replica 10.244.1.7(41234) sending backup "x"', False, []),
    ],
)  # fmt: skip
def test_what_a_server_calls_its_processes(tmp_path: Path, title: str, follows: bool, followers: list[str]) -> None:
    process(tmp_path, "11", "postgres", OF_FIRST)
    process(tmp_path, "12", "postgres", OF_FIRST, title)
    assert servers_here(tmp_path) == {FIRST: Server(follows, frozenset(followers))}


def test_all_of_one_server_are_put_together(tmp_path: Path) -> None:
    for number, address in (("11", "10.244.1.7"), ("12", "10.244.2.7")):
        process(tmp_path, number, "postgres", OF_FIRST, f"postgres: walsender s {address}(1) streaming 0/1")
    process(tmp_path, "13", "postgres", OF_FIRST, "postgres: walreceiver streaming 0/1")
    process(tmp_path, "14", "postgres", OF_FIRST)
    assert servers_here(tmp_path) == {FIRST: Server(follows=True, followers=frozenset({"10.244.1.7", "10.244.2.7"}))}
