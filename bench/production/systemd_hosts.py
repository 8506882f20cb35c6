"""Hosts with systemd as PID 1, in namespaces of their own: processes, files, network, name, control groups.

Nothing of them is in this machine's network or file system, but for an empty folder in /tmp and a control group each. A
janitor of its own removes these when this process has ended, in whatever way.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from control_groups import janitor, joining, make_group, make_groups_of

from shopsphere.foundation.errors import ShopSphereError

HERE = Path(__file__).resolve().parent
BRIDGE = "wire"
PREFIX = "shopsphere-production-"
SECONDS = 60


class HostError(ShopSphereError):
    """A host could not be started, or a command could not be run there."""


@dataclass(frozen=True)
class Said:
    """What a command answered.

    Attributes:
        code: 0 when it succeeded.
        text: what it printed, errors among it.
        seconds: how long it took.
    """

    code: int
    text: str
    seconds: float


@dataclass
class Host:
    """A running host.

    Attributes:
        name: as others call it.
        address: on the wire, with its length.
        pid: of its systemd, as this machine counts.
        unshared: the process that ends all of it when it ends.
        groups: its control groups.
    """

    name: str
    address: str
    pid: int
    unshared: subprocess.Popen[bytes]
    groups: list[Path]

    def run(self, script: str, *, folder: str = "/root", seconds: float = 300) -> Said:
        """Run a script of bash as root at this host."""
        began = time.monotonic()
        given = ["bash", "-c", joining(self.groups), "join"]
        given += ["nsenter", "--all", f"--target={self.pid}", f"--wd=/proc/{self.pid}/root"]
        given += ["env", "-i", "HOME=/root", "USER=root", "LOGNAME=root", "TERM=dumb", "LANG=C.UTF-8"]
        given += ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "PYTHONDONTWRITEBYTECODE=1"]
        given += ["SHOPSPHERE_CACHE=/srv/machine/cache", "bash", "-c", f"cd {folder}\n{script}"]
        try:
            done = subprocess.run(
                given,
                check=False,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired as late:
            text = (late.stdout or b"").decode(errors="replace")
            return Said(124, f"{text}\nno end within {seconds:.0f} s", time.monotonic() - began)
        return Said(done.returncode, done.stdout.decode(errors="replace"), time.monotonic() - began)

    def read(self, path: str) -> bytes:
        """Return a file of this host."""
        return subprocess.run(
            ["nsenter", "--all", f"--target={self.pid}", "cat", path], check=True, capture_output=True
        ).stdout

    def write(self, path: str, content: bytes, mode: str = "644") -> None:
        """Put a file there as root would who copies one of that mode."""
        folder = str(PurePosixPath(path).parent)
        script = f"umask 022; mkdir -p '{folder}'; rm -f '{path}'; umask 077; cat > '{path}'; chmod {mode} '{path}'"
        given = ["nsenter", "--all", f"--target={self.pid}", "bash", "-c", script]
        subprocess.run(given, check=True, input=content)


@dataclass
class Hosts:
    """All hosts of a run, on one wire.

    Attributes:
        folder: of this run, on this machine.
        shared: a folder that every host sees at /srv/shared.
        repository: what every host sees at /opt/shopsphere.
    """

    folder: Path
    shared: Path
    repository: Path
    _groups: list[Path]
    _groups_of: dict[str, list[Path]] = field(default_factory=dict)
    _wire: subprocess.Popen[bytes] | None = None
    _lines: int = 0
    running: dict[str, Host] = field(default_factory=dict)

    def start(self, name: str, address: str, *, writes: bool = False) -> Host:
        """Start a host and wait until systemd answers.

        Args:
            name: of the host.
            address: on the wire, with its length.
            writes: whether it may change the repository's folder, which all others only read.

        Raises:
            HostError: it does not come up.
        """
        self._groups_of[name] = make_groups_of(name, self._groups)
        disk = self.folder / "disks" / name
        for each in (self.folder / name, disk):
            each.mkdir(parents=True)
        folders = (self.folder / name, self.shared, self.repository, disk)
        return self._boot(name, address, [], [*map(str, folders), "rw" if writes else "ro"])

    def restart(self, name: str) -> Host:
        """Take a host its power, and give it back: files are as they were, and nothing else.

        Raises:
            HostError: it does not come up.
        """
        old = self.running.pop(name)
        held = [os.open(f"/proc/{old.pid}/{part}", os.O_RDONLY) for part in ("ns/mnt", "root")]
        try:
            old.unshared.kill()
            old.unshared.wait(SECONDS)
            mounts, root = (f"/proc/{os.getpid()}/fd/{each}" for each in held)
            return self._boot(name, old.address, ["nsenter", f"--mount={mounts}", f"--root={root}", "--wd=/"], [])
        finally:
            for each in held:
                os.close(each)

    def _boot(self, name: str, address: str, entered: list[str], folders: list[str]) -> Host:
        """Make a host's namespaces, and let boot.sh start its systemd there."""
        script = HERE / "boot.sh"
        command = ["setpriv", "--pdeathsig", "KILL", *entered, "unshare", "--fork", "--kill-child", "--pid", "--mount"]
        command += [
            "--net",
            "--uts",
            "--ipc",
            "--cgroup",
            "bash",
            "-c",
            script.read_text(),
            script.name,
            name,
            *folders,
        ]
        log = self.folder / f"{name}.log"
        with log.open("ab") as told:
            unshared = subprocess.Popen(
                ["bash", "-c", joining(self._groups_of[name]), "join", *command], stdout=told, stderr=told
            )
        pid = _first_child(unshared)
        self._plug(pid, address)
        host = Host(name, address, pid, unshared, self._groups_of[name])
        self.running[name] = host
        for _ in range(SECONDS * 5):
            said = host.run("systemctl is-system-running", folder="/", seconds=10)
            if said.text.strip() in {"running", "degraded"}:
                return host
            if unshared.poll() is not None:
                break
            time.sleep(0.2)
        raise HostError.build(
            f"host {name} did not come up",
            expected=f"systemd running within {SECONDS} s",
            found=f"{said.text.strip()}; {log.read_text()[-2000:]}",
            action="read the log of its start",
        )

    def _plug(self, pid: int, address: str) -> None:
        """Give a host its line to the wire."""
        if self._wire is None:
            self._wire = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sh", "-c",
                 f"ip link add {BRIDGE} type bridge && ip link set {BRIDGE} up && exec sleep infinity"]
            )  # fmt: skip
            _wait_for_bridge(self._wire.pid)
        inside = ["nsenter", f"--target={self._wire.pid}", "--net", "ip"]
        self._lines += 1  # a line of before may still be there for a moment
        port = f"line{self._lines}"
        _must([*inside, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", str(pid)])
        _must([*inside, "link", "set", port, "master", BRIDGE, "up"])
        here = ["nsenter", f"--target={pid}", "--net", "ip"]
        _must([*here, "link", "set", "eth0", "up"])
        _must([*here, "route", "add", "default", "dev", "eth0"])
        _must([*here, "address", "add", address, "dev", "eth0"])

    def stop(self) -> None:
        """End all hosts at once, as if they lost their power."""
        for host in self.running.values():
            host.unshared.kill()
        if self._wire is not None:
            self._wire.kill()
            self._wire.wait(SECONDS)
        for host in self.running.values():
            host.unshared.wait(SECONDS)


@contextmanager
def hosts_for_a_run(names: Mapping[str, str]) -> Iterator[Hosts]:
    """Make folder and control group for hosts, and remove them afterwards.

    Args:
        names: address by name, for each host's /etc/hosts.
    """
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir="/tmp"))
    groups = make_group(folder.name)
    cleaner = janitor(folder, groups)
    shared, repository = folder / "shared", folder / "repository"
    shared.mkdir()
    repository.mkdir()
    lines = [f"{address} {name}" for name, address in {"localhost": "127.0.0.1", **names}.items()]
    (shared / "hosts").write_text("\n".join([*lines, ""]))
    found = Hosts(folder, shared, repository, groups)
    try:
        yield found
    finally:
        found.stop()
        assert cleaner.stdin is not None
        cleaner.stdin.close()
        cleaner.wait(10 * SECONDS)  # the libraries are many files, and this process may be the last in the queue
        shutil.rmtree(folder, ignore_errors=True)


def _first_child(parent: subprocess.Popen[bytes]) -> int:
    """Return the process that `unshare` forked, once it is there."""
    for _ in range(100):
        if parent.poll() is not None:
            break
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
        if children and Path(f"/proc/{parent.pid}/comm").read_text().strip() == "unshare":
            return int(children[0])
        time.sleep(0.05)
    raise HostError(f"namespaces could not be made: unshare ended with {parent.poll()}")


def _wait_for_bridge(pid: int) -> None:
    for _ in range(100):
        given = ["nsenter", f"--target={pid}", "--net", "ip", "link", "show", BRIDGE]
        if subprocess.run(given, check=False, capture_output=True).returncode == 0:
            return
        time.sleep(0.05)
    raise HostError("the wire between hosts could not be made")


def _must(command: list[str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise HostError.build(
            "a host's line could not be laid", expected="0", found=done.stderr.strip(), action=" ".join(command)
        )
