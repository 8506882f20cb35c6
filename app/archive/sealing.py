"""Compresses and encrypts: what leaves a site can be read by the restorers of its jurisdiction only."""

from __future__ import annotations

import subprocess
import zlib
from pathlib import Path

from app.errors import ShopError

PIECE = 2**20
GZIP = 31
"""zlib's window bits for gzip's own format, so that `gunzip` reads it."""
SECONDS = 300


def seal_file(source: Path, target: Path, recipient: str) -> None:
    """Write a file, compressed and then encrypted, beside its final name first.

    Raises:
        ShopError: age did not encrypt it.
        OSError: there is no room.
    """
    with (
        source.open("rb") as plain,
        target.open("wb") as sealed,
        subprocess.Popen(["age", "-r", recipient], stdin=subprocess.PIPE, stdout=sealed) as age,
    ):
        if age.stdin is None:
            raise ShopError("age has no input")
        packing = zlib.compressobj(1, wbits=GZIP)
        while piece := plain.read(PIECE):
            age.stdin.write(packing.compress(piece))
        age.stdin.write(packing.flush())
        age.stdin.close()
        try:
            ended = age.wait(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            age.kill()
            ended = age.wait()
    if ended:
        raise ShopError(f"age ended with {ended} for {source.name}")
