"""An operator's desk: a machine of its own, with its own journals, and the same ways to the sites as all others."""

import os
import subprocess
from pathlib import Path

from command import SHOPSPHERE

from shopsphere.foundation.paths import LAB_VARIABLE, lab_directory

RECORDS = "runbooks"
REASON = "the witness is lost, incident 4711"


class Desk:
    """A folder that is the lab's but for the records of runs, and one command that is given there.

    Args:
        folder: is made.
        wanted: site that the operator wants to write.
    """

    def __init__(self, folder: Path, *, wanted: str) -> None:
        folder.mkdir()
        for entry in lab_directory().iterdir():
            if entry.name != RECORDS:
                (folder / entry.name).symlink_to(entry)
        self._folder, self._wanted = folder, wanted
        self._process: subprocess.Popen[str] | None = None
        self.last_words = ""

    def begin(self, pair: str) -> None:
        """Give the command."""
        words = ["break-glass", pair, "--to", self._wanted, "--execute", "--accept-data-loss", "--reason", REASON]
        self._process = subprocess.Popen(
            [SHOPSPHERE, *words], env={**os.environ, LAB_VARIABLE: str(self._folder)}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def end(self, *, seconds: float) -> int:
        """Wait for its end and return its exit code; one that does not end is killed, and -9 is returned."""
        assert self._process is not None
        try:
            said, _ = self._process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            said, _ = self._process.communicate()
        self.last_words = said[-500:]
        return self._process.returncode
