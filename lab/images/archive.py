"""Writes layers and docker archives: the same input gives the same bytes, on every machine and at any time."""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

EPOCH = "1970-01-01T00:00:00Z"

# What makes two entries the same: type, mode, owner, group, link target, content hash.
Fingerprint = tuple[bytes, int, int, int, str, str]


@dataclass(frozen=True)
class Layer:
    """An uncompressed layer on disk.

    Attributes:
        path: the tar file.
        digest: its SHA-256 in hex; `diff_id` in image terms.
        unpacked_bytes: what it takes on a disk.
        entries: path inside the image → fingerprint.
    """

    path: Path
    digest: str
    unpacked_bytes: int
    entries: Mapping[str, Fingerprint]


def write_layer(root: Path, target: Path, *, below: Layer | None = None) -> Layer:
    """Write the tree under `root` as a layer, without what the layer `below` already has in the same state."""
    known = below.entries if below else {}
    entries: dict[str, Fingerprint] = {}
    first_names: dict[int, str] = {}
    unpacked = 0
    with target.open("wb") as raw, tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in walk(root):
            entry = describe(path, root, first_names)
            if entry is None:
                continue
            entries[entry.name] = fingerprint(entry, path)
            if known.get(entry.name) == entries[entry.name]:
                continue
            unpacked += entry.size
            if entry.isreg():
                with path.open("rb") as content:
                    tar.addfile(entry, content)
            else:
                tar.addfile(entry)
    return Layer(target, file_digest(target), unpacked, entries)


def read_layer(path: Path) -> Layer:
    """Read back a layer that `write_layer` wrote."""
    entries: dict[str, Fingerprint] = {}
    unpacked = 0
    with tarfile.open(path) as tar:
        for entry in tar:
            content = tar.extractfile(entry) if entry.isreg() else None
            digest = hashlib.file_digest(content, "sha256").hexdigest() if content else ""  # type: ignore[arg-type]
            entries[entry.name] = (entry.type, entry.mode, entry.uid, entry.gid, entry.linkname, digest)
            unpacked += entry.size
    return Layer(path, file_digest(path), unpacked, entries)


def walk(root: Path) -> Iterator[Path]:
    """All paths below `root`, each folder before its content, in one fixed order."""
    for folder, folders, files in os.walk(root):
        folders.sort()
        # os.walk lists links to folders among the folders and does not enter them.
        for name in sorted([*folders, *files]):
            yield Path(folder) / name


def describe(path: Path, root: Path, first_names: dict[int, str]) -> tarfile.TarInfo | None:
    """Build the tar header of a path; None for what an image cannot hold (sockets, devices)."""
    status = path.lstat()
    entry = tarfile.TarInfo(path.relative_to(root).as_posix())
    entry.mode = stat.S_IMODE(status.st_mode)
    entry.uid, entry.gid = status.st_uid, status.st_gid
    if stat.S_ISDIR(status.st_mode):
        entry.type = tarfile.DIRTYPE
    elif stat.S_ISLNK(status.st_mode):
        entry.type, entry.linkname = tarfile.SYMTYPE, str(path.readlink())
    elif not stat.S_ISREG(status.st_mode):
        return None
    elif status.st_nlink > 1 and status.st_ino in first_names:
        entry.type, entry.linkname = tarfile.LNKTYPE, first_names[status.st_ino]
    else:
        first_names[status.st_ino] = entry.name
        entry.size = status.st_size
    return entry


def fingerprint(entry: tarfile.TarInfo, path: Path) -> Fingerprint:
    """What the entry is, without its time."""
    content = file_digest(path) if entry.isreg() else ""
    return (entry.type, entry.mode, entry.uid, entry.gid, entry.linkname, content)


def write_archive(target: Path, *, reference: str, layers: Sequence[Layer], config: Mapping[str, object]) -> str:
    """Write a docker archive (`ctr images import` reads it) and return the image's configuration digest.

    Args:
        target: the archive; put in place only when complete.
        reference: name and tag that the image gets on import.
        layers: lowest first.
        config: the image's `config` object (Entrypoint, Env, User, Labels, …).
    """
    document = {
        "architecture": "amd64",
        "os": "linux",
        "created": EPOCH,
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.digest}" for layer in layers]},
        "history": [{"created": EPOCH, "created_by": "shopsphere lab images"} for _ in layers],
    }
    config_bytes = json.dumps(document, sort_keys=True).encode()
    digest = hashlib.sha256(config_bytes).hexdigest()
    names = [f"{layer.digest}/layer.tar" for layer in layers]
    manifest = [{"Config": f"{digest}.json", "RepoTags": [reference], "Layers": names}]
    partial = target.with_suffix(".partial")
    with tarfile.open(partial, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, layer in zip(names, layers, strict=True):
            with layer.path.open("rb") as content:
                add(tar, name, content, layer.path.stat().st_size)
        add(tar, f"{digest}.json", io.BytesIO(config_bytes), len(config_bytes))
        manifest_bytes = json.dumps(manifest).encode()
        add(tar, "manifest.json", io.BytesIO(manifest_bytes), len(manifest_bytes))
    partial.replace(target)
    return digest


def add(tar: tarfile.TarFile, name: str, content: BinaryIO, size: int) -> None:
    """Add one file with a fixed header."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o644
    tar.addfile(entry, content)


def files_digest(files: Iterable[Path], root: Path) -> str:
    """SHA-256 of files below a folder, with their names, in hex; their order counts."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(root)} {file_digest(file)}\n".encode())
    return digest.hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file in hex."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
