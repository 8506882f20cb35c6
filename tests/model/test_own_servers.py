"""Which pods have a PostgreSQL server on this host, as the kernel shows it."""

from __future__ import annotations

from pathlib import Path

from runbooks.agent.own_servers import pods_with_servers

FIRST, SECOND = "0f2e5c1a-9a1b-4c3d-8e7f-001122334455", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"


def process(folder: Path, number: str, name: str, group: str) -> None:
    (folder / number).mkdir()
    (folder / number / "comm").write_text(f"{name}\n")
    (folder / number / "cgroup").write_text(f"0::{group}\n")


def test_servers_are_found_by_their_pods(tmp_path: Path) -> None:
    process(tmp_path, "11", "postgres", f"/kubepods/burstable/pod{FIRST}/abc")
    process(tmp_path, "12", "postgres", f"/kubepods/burstable/pod{FIRST}/abc")
    systemd = f"kubepods-burstable-pod{SECOND.replace('-', '_')}.slice/cri-containerd-abc.scope"
    process(tmp_path, "13", "postgres", f"/kubepods.slice/kubepods-burstable.slice/{systemd}")
    process(tmp_path, "14", "haproxy", "/kubepods/burstable/pod11111111-2222-3333-4444-555555555555/abc")
    process(tmp_path, "15", "postgres", "/system.slice/postgresql.service")
    (tmp_path / "16").mkdir()  # it has just ended
    (tmp_path / "meminfo").write_text("not a process")
    assert pods_with_servers(tmp_path) == {FIRST, SECOND}
