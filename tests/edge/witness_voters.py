"""Three real etcd voters on addresses of this test process's own network."""

from __future__ import annotations

import subprocess
from pathlib import Path

from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.paths import tools_directory
from shopsphere.witness.store import Store, WitnessUnreachableError

ADDRESSES = ("10.97.0.1", "10.97.0.2", "10.97.0.3")


class Voters:
    """Voters by address; each can be killed and started again with its disk."""

    def __init__(self, base: Path) -> None:
        self._base = base
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def urls(self) -> list[str]:
        return [f"http://{address}:2379" for address in ADDRESSES]

    def start(self, address: str) -> None:
        members = ",".join(f"{each}=http://{each}:2380" for each in ADDRESSES)
        self._running[address] = subprocess.Popen(
            [
                str(tools_directory() / "etcd"),
                f"--name={address}",
                f"--data-dir={self._base / address}",
                f"--listen-client-urls=http://{address}:2379",
                f"--advertise-client-urls=http://{address}:2379",
                f"--listen-peer-urls=http://{address}:2380",
                f"--initial-advertise-peer-urls=http://{address}:2380",
                f"--initial-cluster={members}",
                "--heartbeat-interval=100",
                "--election-timeout=1000",
                "--log-level=error",
            ],
            start_new_session=True,
        )

    def start_all(self) -> None:
        for address in ADDRESSES:
            self.start(address)
        self.wait()

    def wait(self) -> None:
        store = Store(self.urls)
        wait_until(lambda: answers(store), what="a quorum", seconds=60, interval=0.2)
        store.close()

    def kill(self, address: str) -> None:
        process = self._running.pop(address)
        process.kill()
        process.wait(10)

    def stop_all(self) -> None:
        for address in list(self._running):
            self.kill(address)


def answers(store: Store) -> bool:
    try:
        store.read("/nothing")
    except WitnessUnreachableError:
        return False
    return True
