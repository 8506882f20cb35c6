"""Somebody on watch beside a run."""

import subprocess

from alongside import Alongside
from command import SHOPSPHERE


class Watcher(Alongside):
    """`shopsphere watch PAIR --execute`, from `with` to its end.

    The kernel ends it when its thread is gone, however that came: a watcher that is left behind moves the pairs of
    every run after this one.

    Attributes:
        code: what it ended with by itself, which it never should; None while it is at work.
    """

    def __init__(self, pair: str) -> None:
        super().__init__("watcher")
        self._pair = pair
        self.code: int | None = None

    def go_on(self) -> None:
        command = ["setpriv", "--pdeathsig", "KILL", SHOPSPHERE, "watch", self._pair, "--execute"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None and not self.ended.wait(0.2):
                pass
            self.code = process.returncode
            process.kill()
