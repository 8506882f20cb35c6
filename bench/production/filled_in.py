"""What an owner writes into the files of step 4, laid over what they hold."""

import re
import time
from pathlib import Path
from typing import Any

import yaml
from systemd_hosts import Host, Said

OWNERS = Path(__file__).resolve().parent / "owners.yaml"
PUSHED = "pushed.txt"
"""In the shared folder: what step 9 printed."""
FROM_FILE, FROM_PUSH = "content of ", "lines of step 9"
_REPOSITORY = "/opt/shopsphere"
_IMAGE = re.compile(r"    ([a-z-]+): (\S+@sha256:[0-9a-f]{64})")


def fill_in(host: Host, shared: Path) -> Said:
    """Fill in the files at a host that may write them."""
    began, told = time.monotonic(), []
    for name, values in with_content(yaml.safe_load(OWNERS.read_text()), shared).items():
        path = f"{_REPOSITORY}/{name}"
        text = yaml.safe_dump(laid_over(yaml.safe_load(host.read(path)), values), sort_keys=False)
        host.write(path, text.encode())
        told.append(f"{name}: {text.count('REPLACE_ME')} left to fill in")
    return Said(0, "\n".join(told), time.monotonic() - began)


def with_content(written: Any, shared: Path) -> Any:
    """Return a document with what is only known once the run has made it, in files of the shared folder."""
    if isinstance(written, dict):
        return {key: with_content(value, shared) for key, value in written.items()}
    if written == FROM_PUSH:
        return pushed_images((shared / PUSHED).read_text())
    if isinstance(written, str) and written.startswith(FROM_FILE):
        return (shared / written.removeprefix(FROM_FILE)).read_text().strip()
    return written


def pushed_images(text: str) -> dict[str, str]:
    """Return the lines for a stack's file that `images push` printed."""
    return {found[1]: found[2] for line in text.splitlines() if (found := _IMAGE.fullmatch(line))}


def laid_over(below: Any, above: Any) -> Any:
    """Return a document with another one over it; null takes an entry out."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    merged = {key: laid_over(below.get(key), value) for key, value in above.items() if value is not None}
    return {key: value for key, value in {**below, **merged}.items() if above.get(key, "") is not None}
