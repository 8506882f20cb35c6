"""A line for each step, with the time."""

import sys
import time


def say(text: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()


def stay(seconds: float, what: str, every: float = 30.0) -> None:
    """Wait, and say how much is left."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(every, left))
        if (left := end - time.monotonic()) > 1:
            say(f"  {what}: {left:.0f} s left")
