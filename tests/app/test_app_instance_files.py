"""The look at an instance's files, on those of a real PostgreSQL, with no more programs than its image has."""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from postgres_cluster import BINARIES, Cluster
from present import present

from shopsphere.clients.cluster import Cluster as SiteCluster
from shopsphere.clients.postgres import InstanceFiles, await_standby
from shopsphere.foundation.clock import wait_until

IMAGE_HAS = ("sh", "seq", "sleep")


class Pod(SiteCluster):
    """Runs a command here, as its parent does inside a pod: a subclass, so that the types are compared."""

    def __init__(self, data: Path, programs: Path) -> None:
        self.context = "frankfurt"  # and nothing of a real one: there is no kubeconfig
        self._environment = {"PGDATA": str(data), "PATH": str(programs)}
        for name in IMAGE_HAS:
            (programs / name).symlink_to(present(shutil.which(name)))
        (programs / "pg_controldata").symlink_to(BINARIES / "pg_controldata")

    def execute(
        self,
        namespace: str,  # noqa: ARG002 - as its parent
        pod: str,  # noqa: ARG002
        container: str,  # noqa: ARG002
        command: list[str],
        *,
        extra_seconds: float = 0,
        heard: Callable[[str], object] | None = None,
    ) -> str:
        with subprocess.Popen(command, env=self._environment, stdout=subprocess.PIPE, text=True) as running:
            end = threading.Timer(extra_seconds + 60, running.kill)
            end.start()
            lines = []
            for line in present(running.stdout):
                lines.append(line)
                if heard:
                    heard(line)
            end.cancel()
        assert running.returncode == 0
        return "".join(lines)


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[tuple[Cluster, Pod]]:
    cluster = Cluster()
    yield cluster, Pod(cluster.data, tmp_path)
    cluster.remove(running=(cluster.data / "postmaster.pid").exists())


def look(pod: Pod, seconds: float = 0.2, **how: Any) -> InstanceFiles:
    return await_standby(pod, "data-ledger", "ledger-frankfurt-1", seconds=seconds, **how)


def mark(cluster: Cluster) -> None:
    signal = cluster.data / "standby.signal"
    signal.touch()
    owner = cluster.data.stat()
    os.chown(signal, owner.st_uid, owner.st_gid)


@pytest.mark.requirement("an active site has ended only when it can start again as a replica and no other way")
def test_a_primary_becomes_a_standby(postgres: tuple[Cluster, Pod]) -> None:
    cluster, pod = postgres
    found = look(pod)
    assert (found.state, found.marked, found.is_standby, found.has_server) == ("in production", False, False, True)
    cluster.stop("fast")
    down = []
    found = look(pod, seconds=0.5, down=lambda: down.append(True))
    assert (found.state, found.is_ended_primary, found.is_standby) == ("shut down", False, False)
    assert not found.has_server
    assert down == [True], "said once, so that the operator of the databases is asked to go on"
    mark(cluster)
    found = look(pod)
    assert found.is_ended_primary
    assert found.is_standby
    cluster.start()
    found = look(pod)
    assert (found.state, found.is_ended_primary, found.is_standby) == ("in archive recovery", False, True)
    cluster.stop("fast")
    assert look(pod).is_standby
    cluster.start()
    cluster.promote()
    wait_until(lambda: look(pod).state == "in production", what="the promotion", seconds=90)
    assert not look(pod).is_standby


@pytest.mark.requirement("a planned change waits for the end of the old primary, not for its start as a replica")
def test_the_look_ends_when_the_files_say_so(postgres: tuple[Cluster, Pod]) -> None:
    cluster, pod = postgres
    cluster.stop("fast")
    timer = threading.Timer(0.6, mark, [cluster])
    timer.start()
    start = time.monotonic()
    assert look(pod, seconds=120).is_ended_primary
    assert time.monotonic() - start < 90


@pytest.mark.requirement("what a loss of power has left is no server that runs")
@pytest.mark.parametrize("left", ["999999999\n", "1\n", "\n", ""])
def test_the_file_of_a_server_that_is_gone(postgres: tuple[Cluster, Pod], left: str) -> None:
    cluster, pod = postgres
    assert look(pod).has_server
    cluster.stop("fast")
    file = cluster.data / "postmaster.pid"
    file.write_text(left)
    try:
        assert not look(pod).has_server
    finally:
        file.unlink()
