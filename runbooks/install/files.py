"""Files for one host: what is written for it, and what its owner has to bring there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.files import write_whole

TREE = "root"
"""Folder of a host's files as they lie below its `/`."""
LIST = "must-be-there.txt"
_REPOSITORY = PurePosixPath("/opt/shopsphere")
_SETTINGS = PurePosixPath("/etc/shopsphere")
_ETCD = PurePosixPath("/usr/local/bin/etcd")


class InstallationError(ShopSphereError):
    """Files for a host cannot be written."""


@dataclass(frozen=True)
class Places:
    """Where things are on every host.

    Attributes:
        repository: this repository, with its `.venv`.
        settings: configurations and keys.
        etcd: the program of a voter.
    """

    repository: PurePosixPath = _REPOSITORY
    settings: PurePosixPath = _SETTINGS
    etcd: PurePosixPath = _ETCD

    @property
    def python(self) -> PurePosixPath:
        """The interpreter with the locked libraries."""
        return self.repository / ".venv" / "bin" / "python"


@dataclass(frozen=True)
class Brought:
    """A file that is not written here, because it is secret, or belongs to another program.

    Attributes:
        path: on the host.
        owner: user and group.
        mode: as `chmod` takes it.
        origin: who makes it.
    """

    path: PurePosixPath
    owner: str
    mode: str
    origin: str


@dataclass(frozen=True)
class HostFiles:
    """All of one host.

    Attributes:
        host: name of its folder.
        written: text by path on the host.
        brought: what has to be there besides.
        units: in the order in which they are started.
        then: what is to be done before they are started; one line each.
    """

    host: str
    written: dict[str, str]
    brought: tuple[Brought, ...]
    units: tuple[str, ...]
    then: tuple[str, ...] = ()

    def listing(self) -> str:
        """Return what has to be there, as lines for people."""
        rows = [(each.mode, each.owner, str(each.path), each.origin) for each in self.brought]
        widths = [max((len(row[at]) for row in rows), default=0) for at in range(3)]
        lines = ["  ".join([*(row[at].ljust(widths[at]) for at in range(3)), row[3]]) for row in rows]
        return "\n".join(["# mode, owner, path, origin", *lines, ""])


def write_all(hosts: Iterable[HostFiles], folder: Path, *, force: bool = False) -> list[Path]:
    """Write what is missing or, with `force`, differs; return what was written.

    Args:
        hosts: whose files.
        folder: gets a folder of each host.
        force: replace files that somebody changed.

    Raises:
        InstallationError: a file is there with other content, and nothing was written.
    """
    wanted = {
        folder / each.host / TREE / path.lstrip("/"): text for each in hosts for path, text in each.written.items()
    }
    wanted |= {folder / each.host / LIST: each.listing() for each in hosts}
    changed = {path: text for path, text in wanted.items() if not path.is_file() or path.read_text() != text}
    differing = [path for path in changed if path.exists()]
    if differing and not force:
        raise InstallationError.build(
            "files are there already and differ; nothing was written",
            expected="the text that follows from topology and stacks now, or no file",
            found=", ".join(map(str, differing)),
            action="compare them with what another --into FOLDER gets; --force replaces them",
        )
    for path, text in changed.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)
    return list(changed)
