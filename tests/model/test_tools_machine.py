"""What has to be there before anything is built: one message for all of it, one build at a time, no started service."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import Never

import pytest
from present import present

from lab import kernel, no_service_start, packages, preflight
from lab.exclusive import LockedError, exclusive
from lab.tools.catalogue import load_catalogue


class FastClock:
    """A clock whose sleep takes no time."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.requirement("one clear message lists all that is missing")
def test_all_that_is_missing_is_in_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    monkeypatch.setattr(preflight, "go_version", lambda: None)
    monkeypatch.setattr(preflight, "missing_packages", lambda _wanted: ["runc"])
    monkeypatch.setattr(preflight, "missing_kernel_features", lambda: ["TUN/TAP: the lab's WAN"])
    monkeypatch.setattr("shutil.disk_usage", lambda _place: Disk(free=3 << 30))
    with pytest.raises(preflight.MachineError) as failure:
        preflight.check_machine(list(load_catalogue().values()), memory_gib=100_000)
    message = str(failure.value)
    for part in ("aarch64", "user id 1000", "runc", "no go on PATH", "TUN/TAP", "3.0 GiB", "100000 GiB"):
        assert part in message, part


class Disk:
    """What shutil.disk_usage returns, as far as it is read."""

    def __init__(self, free: int) -> None:
        self.free = free


def test_nothing_to_build_needs_no_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "go_version", lambda: None)
    assert preflight.go_problems([]) == []


def test_old_go_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "go_version", lambda: (1, 19, 8))
    (problem,) = preflight.go_problems([load_catalogue()["cnpg-manager"]])
    assert "1.26.4 or newer" in problem
    assert "found go 1.19.8" in problem


def test_cold_build_asks_for_the_disk_that_go_needs() -> None:
    assert 17 <= preflight.disk_gib(list(load_catalogue().values())) <= 25


def test_cgroup_controllers_of_both_versions(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu io memory pids\n")
    assert kernel.missing_controllers(tmp_path) == {"cpuset"}
    (tmp_path / "cgroup.controllers").unlink()
    for name in kernel.CONTROLLERS_V1 - {"pids"}:
        (tmp_path / name).mkdir()
    assert kernel.missing_controllers(tmp_path) == {"pids"}


@pytest.mark.requirement("two runs do not build at once")
def test_lock_names_its_owner_and_gives_up_in_time(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    hold = f"""
import sys
from pathlib import Path
from lab.exclusive import exclusive
with exclusive(Path({str(file)!r}), "a long build"):
    print("held", flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert present(owner.stdout).readline() == "held\n"
        waiting = exclusive(file, "a short build", seconds=5, clock=FastClock())
        with pytest.raises(LockedError, match=rf"process {owner.pid} \(a long build\)"):
            waiting.__enter__()
        owner.kill()
    with (
        exclusive(file, "a short build", seconds=5, clock=FastClock()),
        file.open() as other,
        pytest.raises(BlockingIOError),
    ):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_installed_and_provided_names_count() -> None:
    status = (
        "install ok installed|containerd.io|containerd, runc (= 1.2)\n"
        "deinstall ok config-files|varnish|\n"
        "install ok installed|curl|\n"
    )
    assert packages.installed_names(status) == {"containerd.io", "containerd", "runc", "curl"}


def test_nothing_is_installed_when_all_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "install", lambda _names: pytest.fail("nothing is missing"))
    assert packages.ensure_packages(["dpkg", "coreutils"]) == []


def test_who_is_not_root_is_told_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(packages.PackagesError, match="apt-get install --no-install-recommends no-such-package"):
        packages.ensure_packages(["no-such-package"])


def interrupted_installation(policy: Path) -> Never:
    with no_service_start.services_forbidden(policy):
        assert subprocess.run([policy], check=False).returncode == 101
        raise KeyboardInterrupt


@pytest.mark.requirement("no package may start a service on the host")
def test_owners_policy_comes_back_after_an_interrupt(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 104\n")
    with pytest.raises(KeyboardInterrupt):
        interrupted_installation(policy)
    assert policy.read_text() == "#!/bin/sh\nexit 104\n"
    assert list(tmp_path.iterdir()) == [policy]


def test_what_a_killed_run_left_is_put_right(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text(no_service_start.FORBID_ALL)
    (tmp_path / "policy-rc.d.before-shopsphere").write_text("the owner's")
    with no_service_start.services_forbidden(policy):
        pass
    assert policy.read_text() == "the owner's"
    policy.write_text(no_service_start.FORBID_ALL)
    with no_service_start.services_forbidden(policy):
        pass
    assert not policy.exists()
