"""Which Go modules are in a program: read from what the Go linker writes into it, without a Go toolchain."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path

# The format of Go 1.18 and later, as in Go's own package debug/buildinfo: the magic, the size of a pointer, flags,
# padding up to 32 bytes, then two strings, each after its length. The second one stands between two marks of 16 bytes.
MAGIC = b"\xff Go buildinf:"
ALIGNMENT = 16
HEADER = 32
STRINGS_FOLLOW = 2
MARK = 16


@dataclass(frozen=True, order=True)
class GoModule:
    """A module in a program; `version` is empty for a main module that was built from a folder."""

    path: str
    version: str


def read_modules(program: Path) -> list[GoModule]:
    """The modules that are linked into a program, the standard library among them; empty for what Go did not build."""
    if not program.stat().st_size:
        return []
    with program.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        place = content.find(MAGIC)
        while place >= 0:
            # A program that reads other programs has the magic among its own constants too.
            if place % ALIGNMENT == 0 and content[place + len(MAGIC) + 1] & STRINGS_FOLLOW:
                version, after = read_string(content, place + HEADER)
                information, _ = read_string(content, after)
                return parse(version.decode(), information[MARK:-MARK].decode())
            place = content.find(MAGIC, place + 1)
    return []


def read_string(content: mmap.mmap, place: int) -> tuple[bytes, int]:
    """Read a length (seven bits a byte, lowest first) and so many bytes; also return where they end."""
    length = shift = 0
    while True:
        byte = content[place]
        place += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return content[place : place + length], place + length


def parse(go_version: str, information: str) -> list[GoModule]:
    """Read the lines `mod`, `dep` and `=>` (what takes the place of the module before it)."""
    found = [GoModule("stdlib", go_version.split()[0].removeprefix("go"))]
    for line in information.splitlines():
        kind, path, version, *_ = [*line.split("\t"), "", ""]
        if kind in {"mod", "dep", "=>"} and path:
            module = GoModule(path, version if version != "(devel)" else "")
            if kind == "=>":
                found[-1] = module
            else:
                found.append(module)
    return found
