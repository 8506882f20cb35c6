"""Objects of an archive, fetched and opened, into files that nobody else on the machine may read."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shopsphere.clients.archive import ArchiveError, Bucket
from shopsphere.foundation.errors import ShopSphereError

PIECE = 2**20
GZIP = 31


class PieceError(ShopSphereError):
    """Something that a restore needs is missing, damaged or not to be opened; another base backup may do."""


class NoRoomError(ShopSphereError):
    """The disk of the folder is full, or too small."""


@contextmanager
def private(folder: Path) -> Iterator[None]:
    """Let only this user read what is made meanwhile, and name a full disk as what it is.

    Raises:
        NoRoomError: the disk is full.
    """
    before = os.umask(0o077)
    try:
        yield
    except (OSError, ArchiveError) as error:
        reason = error.__cause__ if isinstance(error, ArchiveError) else error
        if getattr(reason, "errno", None) != errno.ENOSPC and "No space left on device" not in str(error):
            raise
        raise no_room(folder) from error
    finally:
        os.umask(before)


def no_room(folder: Path) -> NoRoomError:
    """Return the error of a disk that became full."""
    return NoRoomError(
        f"{folder}: the disk is full\n  expected: room for the base backup and its WAL\n"
        "  found:    no space left\n  do:       name a folder on a larger disk"
    )


def fetch_opened(bucket: Bucket, key: str, plain: Path, identity: Path, sha256: str = "") -> None:
    """Fetch an object, compare it with a checksum if one is given, decrypt and unpack it.

    Raises:
        PieceError: it is damaged, another one than was sent, or the key does not open it.
        ArchiveError: the archive does not give it.
    """
    sealed = plain.with_name(f"{plain.name}.sealed")
    try:
        bucket.fetch(key, sealed)
        if sha256:
            with sealed.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
            if digest != sha256:
                raise PieceError(f"{key}: damaged: its checksum is {digest[:12]}…, {sha256[:12]}… was sent")
        open_sealed(sealed, plain, identity, key)
    finally:
        sealed.unlink(missing_ok=True)


def open_sealed(sealed: Path, plain: Path, identity: Path, name: str) -> None:
    """Decrypt and unpack one object.

    Raises:
        PieceError: it is damaged, or encrypted for somebody else.
    """
    command = ["age", "--decrypt", "-i", str(identity), str(sealed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as age, plain.open("wb") as target:
        if age.stdout is None or age.stderr is None:
            raise PieceError("age has no output")
        unpacking = zlib.decompressobj(wbits=GZIP)
        problem = ""
        try:
            while piece := age.stdout.read(PIECE):
                target.write(unpacking.decompress(piece))
            target.write(unpacking.flush())
        except zlib.error as error:
            problem = str(error)
            age.stdout.close()  # else age waits for ever to say the rest
        said = age.stderr.read().decode(errors="replace").strip()
        ended = age.wait()
    if ended or problem or not unpacking.eof:
        plain.unlink()
        first = (said.splitlines() or [problem or "it ends too early"])[0]
        raise PieceError(f"{name}: cannot be opened, and nothing was started: {first}")
