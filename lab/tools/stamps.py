"""Remembers what is in the tools folder, so that nothing is built or asked twice."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from lab.tools.catalogue import Tool
from lab.tools.go_toolchain import BUILD_FLAGS
from shopsphere.foundation.paths import tools_directory

Source = Literal["built", "path"]


@dataclass(frozen=True)
class Stamp:
    """What a finished tool left.

    Attributes:
        key: hash of all that goes into it.
        source: built here, or linked to a program on PATH.
        sizes: bytes of each executable and data file: a truncated or replaced one is no longer ours.
        seconds: how long it took.
    """

    key: str
    source: Source
    sizes: dict[str, int]
    seconds: float


def tool_key(tool: Tool) -> str:
    """Hash of go.mod, go.sum, own sources, flags and the tool's entry; in short: what the binary depends on."""
    entry = tool.model_dump_json(exclude={"folder", "purpose", "seconds", "disk_gib", "on_demand"})
    digest = hashlib.sha256(entry.encode())
    digest.update(" ".join(BUILD_FLAGS).encode())
    for file in source_files(tool):
        digest.update(f"\n{file.name}\n".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def source_files(tool: Tool) -> list[Path]:
    """go.mod, go.sum and own Go files, in one fixed order."""
    return sorted(file for file in tool.folder.iterdir() if file.name in {"go.mod", "go.sum"} or file.suffix == ".go")


def data_directory() -> Path:
    """Files that come with the tools' modules: manifests and the like."""
    return tools_directory().parent / "share"


def installed_files(tool: Tool) -> dict[str, Path]:
    """Where the tool's executables and data files belong."""
    executables = {name: tools_directory() / name for name in tool.executables}
    return executables | {name: data_directory() / name for name in tool.data_files}


def stamp_file(tool: Tool) -> Path:
    """Where the tool's stamp is kept."""
    return tools_directory().parent / "stamps" / f"{tool.name}.json"


def write_stamp(tool: Tool, source: Source, seconds: float) -> None:
    """Record that the tool is complete; the last act of an installation."""
    sizes = {name: path.stat().st_size for name, path in installed_files(tool).items() if path.exists()}
    file = stamp_file(tool)
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(asdict(Stamp(tool_key(tool), source, sizes, round(seconds, 1)))))
    partial.replace(file)


def valid_stamp(tool: Tool) -> Stamp | None:
    """The tool's stamp, if it is for these very sources and every file is still there in full."""
    try:
        stamp = Stamp(**json.loads(stamp_file(tool).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    if stamp.key != tool_key(tool):
        return None
    for name, path in installed_files(tool).items():
        # stat follows links: a program on PATH that was replaced or removed invalidates the stamp too.
        if not path.exists() or path.stat().st_size != stamp.sizes.get(name):
            return None
    return stamp
