"""The WAN switch as a program: attaches hosts, takes commands over a socket, keeps its state on disk.

Run as `python -m lab.network.daemon`. It re-attaches every living host when it starts, so that its own crash
is a short outage of the WAN and nothing more.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from subprocess import SubprocessError
from typing import Any

from lab.host.identity import ProcessIdentity
from lab.hosts import WORKSTATION, LabHosts, load_hosts
from lab.network.control import socket_path, state_path
from lab.network.links import Links
from lab.network.switch import Port, Switch
from lab.network.tap import open_tap
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.topology import load_topology

_LOG = logging.getLogger("wan")


class Daemon:
    """The switch, the socket and the file behind them."""

    def __init__(self) -> None:
        topology = load_topology(environment="lab")
        self.hosts: LabHosts = load_hosts(topology)
        self.switch = Switch(Links(delays=_delays(self.hosts, topology)))
        self.attached: dict[str, ProcessIdentity] = {}

    def start(self) -> None:
        """Attach the workstation and every host that the last run knew and that still lives."""
        workstation = self.hosts.workstation
        self._attach_port(WORKSTATION, os.getpid(), workstation.interface, workstation.mac, [str(workstation.address)])
        if state_path().exists():
            state = json.loads(state_path().read_text())
            self.switch.links.apply_document(state.get("links", {}))
            for host, entry in state.get("attached", {}).items():
                identity = ProcessIdentity(**entry)
                if host in self.hosts.hosts and identity.is_alive():
                    with suppress(OSError, SubprocessError):  # the next `lab up` tries again
                        self._attach(host, identity)

    def serve(self) -> None:
        """Switch frames and answer commands until the process is ended."""
        path = socket_path()
        path.unlink(missing_ok=True)
        server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        server.bind(str(path))
        server.listen(16)
        _LOG.info("switching, %d hosts attached", len(self.attached))
        while True:
            if self.switch.turn([server.fileno()]):
                connection, _ = server.accept()
                with connection:
                    self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(1)
        try:
            request = json.loads(connection.recv(65536))
            reply = {"ok": self._obey(request)}
        except (OSError, ValueError, KeyError, TypeError, SubprocessError, ShopSphereError) as error:
            reply = {"error": f"{type(error).__name__}: {error}"}
        with suppress(OSError):
            connection.send(json.dumps(reply).encode())

    def _obey(self, request: dict[str, Any]) -> Any:
        links = self.switch.links
        match request["command"]:
            case "attach":
                self._attach(request["host"], ProcessIdentity(**request["identity"]))
            case "detach":
                self.switch.detach(request["host"])
                self.attached.pop(request["host"], None)
            case "cut" | "heal" | "lose" | "slow":
                for source, destination in request["ways"]:
                    _change(links, (source, destination), request)
            case "status":
                return {"hosts": sorted(self.switch.ports), "frames": self.switch.frames, **links.to_document()}
            case other:
                raise ValueError(f"unknown command {other!r}")
        self._save()
        return True

    def _attach(self, name: str, identity: ProcessIdentity) -> None:
        host = self.hosts.host(name)
        self.switch.detach(name)
        self._attach_port(name, identity.pid, "eth0", host.mac, [str(address) for address in host.addresses])
        self.attached[name] = identity
        _LOG.info("attached %s", name)

    def _attach_port(self, name: str, pid: int, interface: str, mac: str, addresses: list[str]) -> None:
        length = self.hosts.network.prefixlen
        descriptor = open_tap(
            pid=pid,
            interface=interface,
            mac=mac,
            addresses=[f"{address}/{length}" for address in addresses],
            default_route=name != WORKSTATION,
        )
        self.switch.attach(Port(name, descriptor, bytes.fromhex(mac.replace(":", ""))))

    def _save(self) -> None:
        document = {
            "links": self.switch.links.to_document(),
            "attached": {name: identity.to_document() for name, identity in self.attached.items()},
        }
        temporary = state_path().with_suffix(".new")
        temporary.write_text(json.dumps(document))
        temporary.replace(state_path())


def _change(links: Links, way: tuple[str, str], request: dict[str, Any]) -> None:
    match request["command"]:
        case "cut":
            links.cuts.add(way)
        case "heal":
            links.heal(way)
        case "lose":
            links.losses[way] = float(request["percent"])
        case "slow":
            links.detours[way] = float(request["ms"]) / 1000


def _delays(hosts: LabHosts, topology: Any) -> dict[tuple[str, str], float]:
    """One-way delays in seconds between all hosts, and from and to the workstation."""
    one_way = {(a, b): hosts.rtt_ms(a, b, topology) / 2000 for a in hosts.hosts for b in hosts.hosts if a != b}
    near = hosts.workstation.rtt_ms / 2000
    for name in hosts.hosts:
        one_way[WORKSTATION, name] = one_way[name, WORKSTATION] = near
    return one_way


def main() -> None:
    """Run the switch until it is ended."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stdout)
    with suppress(OSError):
        os.nice(-10)  # a late frame is a wrong distance
    Path(socket_path()).parent.mkdir(parents=True, exist_ok=True)
    daemon = Daemon()
    daemon.start()
    daemon.serve()


if __name__ == "__main__":
    main()
