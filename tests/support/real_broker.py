"""A real broker in a process of this machine: the image's own files, and the configuration that a site's pod gets."""

from __future__ import annotations

import socket
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from free_port import free_port

from components.event_log_settings import (
    BrokerPlace,
    cluster_id,
    format_command,
    server_properties,
    start_command,
)
from shopsphere.estate.event_log import AUTHORITY, CLIENTS, SERVER_SECRETS, client_secrets
from shopsphere.estate.event_log_secrets import generate_event_log_secrets
from shopsphere.foundation.clock import wait_until

START_SECONDS = 120.0
STOP_SECONDS = 60.0
MEMORY_MIB = 288
"""Limit of its pod in the lab."""


def unpacked(archive: Path, folder: Path) -> Path:
    """Take runtime and jars out of an image's archive, and return the folder that stands for its root."""
    with tarfile.open(archive) as whole:
        for member in whole.getmembers():
            if not member.name.endswith("layer.tar"):
                continue
            layer = whole.extractfile(member)
            assert layer is not None
            with tarfile.open(fileobj=layer) as files:
                own = [each for each in files.getmembers() if each.name.lstrip("./").startswith("opt/")]
                files.extractall(folder, members=own, filter="tar")
    return folder


@dataclass
class RealBroker:
    """A broker with a volume, which can be killed and started again.

    Attributes:
        root: folder with the image's files.
        folder: for its volume, certificates and log.
        place: where it finds what, and where it answers.
    """

    root: Path
    folder: Path
    place: BrokerPlace = field(init=False)
    _process: subprocess.Popen[bytes] | None = None
    _log: IO[bytes] | None = None

    def __post_init__(self) -> None:
        ports = [free_port() for _ in range(3)]
        self.place = BrokerPlace(
            data=str(self.folder / "data" / "log"),
            certificates=str(self.folder),
            configuration=str(self.folder),
            host="localhost",
            port=ports[0],
            controller_port=ports[1],
            inside_port=ports[2],
        )
        made = generate_event_log_secrets("rdc-a")
        self._write("ca.crt", made[AUTHORITY])
        self._write("broker.pem", made[SERVER_SECRETS[1]] + made[SERVER_SECRETS[0]])
        for client in CLIENTS:
            certificate, key = client_secrets(client)
            self._write(f"{client.name}.crt", made[certificate])
            self._write(f"{client.name}.key", made[key])
        self._write("server.properties", server_properties(self.place))
        (self.folder / "data").mkdir()
        self._run(format_command(cluster_id("lab", "frankfurt"), self.place, **self._where))

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    @property
    def _where(self) -> dict[str, str]:
        return {"java": str(self.root / "opt/java/bin/java"), "programs": str(self.root / "opt/kafka")}

    def _run(self, command: Sequence[str]) -> None:
        done = subprocess.run(command, capture_output=True, text=True, timeout=START_SECONDS, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    @property
    def process_id(self) -> int:
        """Of the running broker."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it as a pod does, formatting first what is formatted already, and wait until its port is open."""
        self._run(format_command(cluster_id("lab", "frankfurt"), self.place, **self._where))
        self._log = (self.folder / "broker.log").open("ab")
        command = start_command(MEMORY_MIB, self.place, **self._where)
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log, cwd=self.folder)
        wait_until(self._is_open, what="the broker to listen", seconds=START_SECONDS)

    def _is_open(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "broker.log").read_text()[-4000:]
        with socket.socket() as asked:
            return asked.connect_ex(("127.0.0.1", self.place.port)) == 0

    def end(self, *, at_once: bool) -> None:
        """End it: at once, as a node that loses power does, or with its own time to close."""
        if self._process is None:
            return
        if at_once:
            self._process.kill()
        else:
            self._process.terminate()
        self._process.wait(STOP_SECONDS)
        self._process = None
        if self._log:
            self._log.close()

    def connection(self, name: str, *, inside: bool = False) -> dict[str, str]:
        """Return how a program of this name reaches it, in librdkafka's words."""
        port = self.place.inside_port if inside else self.place.port
        certificate, key = ("broker.pem", "broker.pem") if name == "kafka" else (f"{name}.crt", f"{name}.key")
        return {
            "bootstrap.servers": f"localhost:{port}",
            "security.protocol": "SSL",
            "ssl.ca.location": str(self.folder / "ca.crt"),
            "ssl.certificate.location": str(self.folder / certificate),
            "ssl.key.location": str(self.folder / key),
        }


@contextmanager
def running_broker(root: Path, folder: Path) -> Iterator[RealBroker]:
    """Yield a started broker with an empty volume."""
    broker = RealBroker(root, folder)
    try:
        broker.start()
        yield broker
    finally:
        broker.end(at_once=True)
