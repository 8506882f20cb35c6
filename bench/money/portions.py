"""Many runs one after the other, each a process of its own; the next one sells while the one before settles."""

from __future__ import annotations

import subprocess
import sys
import threading

SOLD = "sold"
"""First word of the line with which a run says that its customers have ended."""


class Portion:
    """One run."""

    def __init__(self, seed: int, arguments: list[str]) -> None:
        self.seed = seed
        self._sold = threading.Event()
        self._process = subprocess.Popen(
            [sys.executable, sys.argv[0], *arguments, "--seed", str(seed)], stdout=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            print(f"seed {self.seed}: {line}", end="", flush=True)
            if line.startswith(SOLD):
                self._sold.set()
        self._sold.set()

    def wait_until_sold(self) -> None:
        """Return when its customers have ended, or it has."""
        while not self._sold.wait(0.5):
            pass

    def is_wrong(self) -> bool:
        """Whether it has ended by now with anything but a good result."""
        return self._process.poll() not in {None, 0}

    def wait(self) -> bool:
        """Return whether its result is good."""
        code = self._process.wait()
        self._reader.join()
        return code == 0

    def stop(self) -> None:
        """Have it end and put away what is its own."""
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait()


def run(first_seed: int, portions: int, arguments: list[str]) -> int:
    """Run portions until one of them finds something wrong; return 1 then."""
    running: list[Portion] = []
    try:
        for seed in range(first_seed, first_seed + portions):
            running.append(Portion(seed, arguments))
            running[-1].wait_until_sold()
            while len(running) > 1:
                if not running[0].wait():
                    return _say(running[0])
                running.pop(0)
            if running[0].is_wrong():
                return _say(running[0])
        return 0 if running[0].wait() else _say(running[0])
    finally:
        for portion in running:
            portion.stop()


def _say(portion: Portion) -> int:
    print(f"stopped: seed {portion.seed} did not end with a good result", flush=True)
    return 1
