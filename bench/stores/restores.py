"""`shopsphere restore` beside the live database, as an operator gives it, with the time of each line that it says."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Timer
from typing import Self

from command import SHOPSPHERE
from telling import say

from runbooks.restore.beside import LOGS
from runbooks.restore.server import BINARIES, as_server, query
from shopsphere.foundation.process import run

PLACE, PREFIX = Path("/var/tmp"), "shopsphere-stores-"
"""PostgreSQL's user has to come there."""
FETCHED, RECOVERED, SERVES, REFUSED = "all pieces are here", "recovered to", "it serves", "not used:"


@dataclass(frozen=True)
class Said:
    """What one restore said.

    Attributes:
        code: that it ended with.
        lines: seconds after its beginning, and the line.
        seconds: that it took.
        left: names in its folder afterwards, apart from its logs.
    """

    code: int
    lines: tuple[tuple[float, str], ...]
    seconds: float
    left: tuple[str, ...] = field(default=())

    @property
    def text(self) -> str:
        return "\n".join(line for _, line in self.lines)

    def at(self, beginning: str) -> float | None:
        """After how many seconds a line came that begins so; None where none did."""
        return next((at for at, line in self.lines if line.startswith(beginning)), None)

    @property
    def phases(self) -> dict[str, float]:
        """Seconds until all pieces were there, until it was recovered, and until it served."""
        names = {"fetched": FETCHED, "recovered": RECOVERED, "serves": SERVES}
        return {name: round(at, 1) for name, line in names.items() if (at := self.at(line)) is not None}


class Beside:
    """A folder for one restore; whatever serves from it ends with `with`, and the folder goes.

    Args:
        place: where it is made.
    """

    def __init__(self, place: Path = PLACE) -> None:
        self.home = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
        self.home.chmod(0o755)
        self.folder = self.home / "restored"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        remove(self.home)

    def give_little_room(self, mebibytes: int) -> None:
        """Let the folder be a file system of its own, which is too small."""
        self.folder.mkdir()
        run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=755", "tmpfs", self.folder])

    def restore(self, pair: str, database: str, to: datetime, *words: str, seconds: float = 3600) -> Said:
        """Give the command and wait for its end; what it says is told as it comes."""
        command = [SHOPSPHERE, "restore", pair, "--database", database, "--to", to.isoformat(), *words]
        return told([*command, "--beside", str(self.folder)], self.folder, seconds)

    def ask(self, database: str, statement: str) -> list[str]:
        """Lines that a statement gives in the restored database.

        Raises:
            CommandError: it failed.
        """
        return query(self.folder, database, statement).splitlines()


def told(command: Sequence[str], folder: Path, seconds: float) -> Said:
    """Run a restore; it is ended, and cleans up, after so many seconds or where this program is interrupted."""
    began, lines = time.monotonic(), list[tuple[float, str]]()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout
        late = Timer(seconds, process.terminate)
        late.start()
        try:
            for line in process.stdout:
                lines.append((time.monotonic() - began, line.rstrip("\n")))
                if not line.startswith("  "):
                    say(f"  | {line.rstrip()[:150]}")
            code = process.wait(60)
        finally:
            late.cancel()
            if process.poll() is None:
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(60)
                process.kill()
    left = tuple(sorted(each.name for each in folder.iterdir() if each.name not in LOGS)) if folder.exists() else ()
    return Said(code, tuple(lines), time.monotonic() - began, left)


def refused_too_late(said: Said, names: Sequence[str]) -> list[str]:
    """What is wrong with a restore that had to refuse, and to name something, before it changed anything."""
    found = []
    if said.code == 0:
        found.append("a restore that had to be refused was not")
    if said.at(FETCHED) is not None or said.at(RECOVERED) is not None:
        found.append("a restore was refused only after it had begun")
    if said.left:
        found.append(f"a restore that was refused left {', '.join(said.left)}")
    missing = [each for each in names if each not in said.text]
    if missing:
        found.append(f"a refusal does not say {', '.join(missing)}: {said.text[-300:]}")
    return found


def left_behind(place: Path = PLACE) -> list[Path]:
    """Folders of restores that a killed run has left."""
    return sorted(place.glob(f"{PREFIX}*"))


def remove(home: Path, stop: Callable[[Path], object] | None = None) -> None:
    """End what serves from a folder of a restore, and remove it."""
    folder = home / "restored"
    if (folder / "data" / "postmaster.pid").exists():
        (stop or _stop)(folder)
    if folder.is_mount():
        run(["umount", folder])
    shutil.rmtree(home)


def _stop(folder: Path) -> None:
    run([*as_server(BINARIES / "pg_ctl", folder), "-m", "immediate", "-w", "stop"], check=False)
