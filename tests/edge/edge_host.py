"""The programs of host `edge`, started without the lab."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from lab.component import Component
from lab.edge.components import edge_components, prepare
from lab.edge.settings import EdgeSettings
from shopsphere.clients.edge_identity import EdgeIdentity
from shopsphere.foundation.certificates import KeyPair
from shopsphere.foundation.clock import wait_until
from shopsphere.topology import Topology

LOOPBACK = "127.0.0.1"


@dataclass
class EdgeHost:
    """All components of an edge host; each can be killed and started again."""

    settings: EdgeSettings
    log: Path
    authority: KeyPair
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start_all(self, topology: Topology) -> None:
        prepare(self.settings, topology)
        for component in sorted(edge_components(self.settings), key=lambda c: c.priority):
            self.start(component)
        for name in self.settings.authorities:
            self._listening(self.settings.authorities[name], self.settings.dns_api_port)
            self._listening(LOOPBACK, self.settings.inner_port(name))
        wait_until(self.settings.rights_socket.is_socket, what="the door", seconds=120, interval=0.1, explain=self.logs)
        self._listening(LOOPBACK, self.settings.cdn_inner_port)
        self._listening(self.settings.resolver, self.settings.dns_port)
        self._listening(self.settings.cdn, self.settings.tls_port)
        self._listening(self.settings.cdn, self.settings.cdn_api_port)

    def start(self, component: Component) -> None:
        with (self.log / f"{component.name}.log").open("ab") as sink:
            self.running[component.name] = subprocess.Popen(
                component.command,
                env={**os.environ, **component.environment},
                cwd=component.directory,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
            )

    @property
    def ca(self) -> Path:
        """Who vouches for public names."""
        return self.authority.certificate

    @property
    def cdn_api(self) -> str:
        return f"https://{self.settings.cdn}:{self.settings.cdn_api_port}"

    def dns_api(self, name: str) -> str:
        return f"https://{self.settings.authorities[name]}:{self.settings.dns_api_port}"

    def identity(self, user: str) -> EdgeIdentity:
        return EdgeIdentity(self.settings.edge_keys, user)

    def component(self, name: str) -> Component:
        return next(c for c in edge_components(self.settings) if c.name == name)

    def kill(self, name: str) -> None:
        process = self.running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def suspend(self, name: str) -> None:
        """Let a program hang: its ports take connections, and nothing answers."""
        os.killpg(self.running[name].pid, signal.SIGSTOP)

    def resume(self, name: str) -> None:
        os.killpg(self.running[name].pid, signal.SIGCONT)

    def restart_authority(self, name: str) -> None:
        self.restart(f"dns-{name}", LOOPBACK, self.settings.inner_port(name))

    def restart(self, name: str, address: str, port: int) -> None:
        if name in self.running:
            self.kill(name)
        # A killed program's own children are not ours to wait for, and one may hold the port a moment longer.
        wait_until(lambda: not _answers(address, port), what=f"{address}:{port} to be free", seconds=60, interval=0.1)
        self.start(self.component(name))
        self._listening(address, port)

    def stop_all(self) -> None:
        for name in list(self.running):
            self.kill(name)

    def _listening(self, address: str, port: int) -> None:
        wait_until(
            lambda: _answers(address, port), what=f"{address}:{port}", seconds=120, interval=0.1, explain=self.logs
        )

    def logs(self) -> str:
        return "\n".join(f"{file.name}: {file.read_text()[-800:]}" for file in sorted(self.log.glob("*.log")))


def _answers(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0
