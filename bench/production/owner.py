"""What the owner has before the page begins: a mirror, an authority that hosts trust, secrets, programs for hosts."""

import shutil
import subprocess
from pathlib import Path

from systemd_hosts import HERE

from shopsphere.foundation.paths import REPOSITORY

ACCOUNTS = ("operator", "commerce-frankfurt", "ledger-frankfurt", "commerce-dublin", "ledger-dublin")
"""Of the archive, whose owner's secret is made by the page."""
_AUTHORITY = """
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj "/CN=the owner's authority" \\
  -keyout ca.key -out ca.crt -addext keyUsage=critical,keyCertSign,cRLSign 2> /dev/null
age-keygen -o restorers.key 2> /dev/null
age-keygen -y restorers.key > restorers.pub
mkdir archive
for name; do openssl rand -hex 20 | tr -d '\\n' > "archive/$name.secret"; done
"""


def make_secrets(shared: Path) -> None:
    """Make authority, restorers' key and secrets of the archive, before any host starts: each trusts the authority."""
    (shared / "owner").mkdir()
    command = ["bash", "-euc", _AUTHORITY, "owner", *ACCOUNTS]
    subprocess.run(command, check=True, cwd=shared / "owner")


def make_mirror(shared: Path) -> None:
    """Put into the shared folder what stands for the owner's mirror and package index, and the owner's programs."""
    mirror = shared / "mirror"
    subprocess.run(["git", "clone", "--quiet", "--bare", str(REPOSITORY), str(mirror)], check=True)
    subprocess.run(["git", "-C", str(mirror), "tag", "rehearsed", "HEAD"], check=True)
    for script in [*HERE.glob("*.sh"), HERE / "key_service.py"]:
        shutil.copy(script, shared)
    venv = shared / "venv"
    subprocess.run(["/usr/bin/python3.11", "-m", "venv", "--without-pip", str(venv)], check=True)
    libraries = "lib/python3.11/site-packages"
    shutil.rmtree(venv / libraries)
    subprocess.run(["cp", "-a", str((REPOSITORY / ".venv" / libraries).resolve()), str(venv / libraries)], check=True)
