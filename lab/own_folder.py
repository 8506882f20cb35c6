"""The lab's folder and the mark in it, so that `lab down` removes what a lab has made and nothing else."""

from __future__ import annotations

import pwd
import shutil
from pathlib import Path

from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.files import write_whole
from shopsphere.foundation.paths import DEFAULT_LAB, LAB_VARIABLE, REPOSITORY, lab_directory

MARK = ".shopsphere-lab"
GOING = ".shopsphere-lab-is-going"
"""There while what the lab has made is removed, so that no lab begins on half of the disks of another."""
MADE = ("bin", "control", "hosts", "kubeconfigs", "pki", "pulumi", "regions.json", "residency", "runbooks")
"""What a lab and the commands that work on it make in its folder, the mark aside."""
_SYSTEM = ("bin", "boot", "dev", "etc", "lib", "lib64", "proc", "root", "run", "sbin", "sys", "tmp", "usr", "var")
_SHARED = ("home", "media", "mnt", "opt", "srv", "usr/local", "var/lib", "var/tmp")
_OF_THE_MACHINE = frozenset(Path("/") / name for name in ("", *_SYSTEM, *_SHARED))


class NotOurFolderError(ShopSphereError):
    """The folder that is named for the lab is somebody else's."""


def claim_folder() -> None:
    """Make the lab's folder and mark it; one that holds anything else is left alone.

    A removal that was interrupted is brought to its end first.

    Raises:
        NotOurFolderError: it is one of the machine's, somebody's home, or holds what no lab has made.
    """
    folder = _suitable_folder()
    if (folder / GOING).exists():
        empty_folder()
    held = sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []
    if held and not _is_marked(folder):
        raise _refused("a folder that does not exist, is empty, or is a lab's", f"{held[0]} and no {MARK} in it")
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / MARK, "A lab of ShopSphere lives here: `shopsphere lab down` removes it.\n")


def require_own_folder() -> Path:
    """Return the lab's folder.

    Raises:
        NotOurFolderError: it is not marked as a lab's.
    """
    folder = _suitable_folder()
    if folder.exists() and any(folder.iterdir()) and not _is_marked(folder):
        raise _refused(f"the file {MARK}, which `shopsphere lab up` makes", f"no such file in {folder}")
    return folder


def empty_folder() -> None:
    """Remove what the lab has made; anything that somebody has put beside it stays, and the folder with it.

    A folder in which something stays keeps its mark: the next lab may be made beside that.

    Raises:
        NotOurFolderError: as of `require_own_folder`.
    """
    folder = require_own_folder()
    if not folder.exists():
        return
    write_whole(folder / GOING, "`shopsphere lab down` or `lab up` goes on.\n")
    for name in MADE:
        entry = folder / name
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)
    (folder / GOING).unlink(missing_ok=True)
    if not _others_things(folder):
        (folder / MARK).unlink(missing_ok=True)  # last: what was interrupted can be called again


def _others_things(folder: Path, ours: tuple[str, ...] = (MARK, GOING)) -> bool:
    return folder.exists() and any(entry.name not in ours for entry in folder.iterdir())


def _is_marked(folder: Path) -> bool:
    if any((folder / name).is_file() for name in (MARK, GOING)):
        return True
    # Labs that were started before there was a mark, and records that were kept where no lab was yet, are in a folder
    # with a name that nobody else would take.
    return folder == DEFAULT_LAB and ((folder / "hosts").is_dir() or not _others_things(folder, MADE))


def _suitable_folder() -> Path:
    folder = lab_directory().resolve()
    homes = {Path(entry.pw_dir).resolve() for entry in pwd.getpwall()} | {Path.home().resolve()}
    if folder in _OF_THE_MACHINE | homes or folder in {REPOSITORY, *REPOSITORY.parents}:
        raise _refused("a folder for the lab alone, as in /var/lib/shopsphere", f"{folder}, which others use")
    return folder


def _refused(expected: str, found: str) -> ShopSphereError:
    return NotOurFolderError.build(
        f"{lab_directory()} is not the lab's own folder: nothing was changed in it",
        expected=expected,
        found=found,
        action=f"name another folder in {LAB_VARIABLE}",
    )
