"""The shop's image: Debian's Python, the locked wheels, the package app/ and the media that it renders."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from lab.images.archive import files_digest
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.foundation.process import run

APP = REPOSITORY / "app"
LOCK = APP / "requirements.lock"
PLACE = "opt/shop"
RENDERED = "/usr/share/shopsphere"  # where app.settings looks for rendered media
PYTHON = "3.11"  # Debian 12's, whatever Python runs this
START = '#!/bin/sh\nexec /usr/bin/python3.11 -m {module} "$@"\n'


def app_files() -> list[Path]:
    """The files of app/ that go into the image, in one fixed order."""
    return sorted(file for file in APP.rglob("*") if file.is_file() and "__pycache__" not in file.parts)


def sources_digest() -> str:
    """Hash of the shop's code and locked requirements."""
    return files_digest(app_files(), APP)


def install_collector(root: Path, log: Path) -> None:
    """Install app/ without its wheels into a root file system that has what the collector of backups needs."""
    put_app(root, "archive", "app.archive")
    compile_all(root, ["/usr/lib/python3/dist-packages"], log)


def put_app(root: Path, command: str, module: str) -> None:
    """Copy app/, and write the command that starts a module of it."""
    place = root / PLACE
    for file in app_files():
        target = place / "app" / file.relative_to(APP)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    start = place / "bin" / command
    start.parent.mkdir(exist_ok=True)
    start.write_text(START.format(module=module))
    start.chmod(0o755)


def compile_all(root: Path, others: list[str], log: Path) -> None:
    """Compile Python's, the image's own and other folders' code."""
    # The root file system is read-only at run time: without these files every start would compile everything again.
    # Hash-based files hold no time stamps, so that the layer stays reproducible.
    folders = [f"/{PLACE}", "/usr/lib/python3.11", *others]
    inside(root, ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", *folders], log)


def install(root: Path, log: Path) -> None:
    """Install wheels and app/ into a root file system and render the media with its own Python."""
    place = root / PLACE
    place.mkdir(parents=True)
    install_wheels(place, log)
    put_app(root, "shop", "app")
    inside(root, ["-m", "app", "render-media", RENDERED], log)
    compile_all(root, [], log)


def install_wheels(place: Path, log: Path) -> None:
    """Install the locked wheels, each checked against its hash; nothing is built from source."""
    platforms = [f"--platform=manylinux_2_{minor}_x86_64" for minor in (36, 34, 28, 24, 17)]
    command = [
        sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-compile",
        "--require-hashes", "--no-deps", "--only-binary=:all:", f"--python-version={PYTHON}", "--implementation=cp",
        *platforms, "--platform=manylinux2014_x86_64", "--platform=linux_x86_64",
        f"--target={place}", f"--requirement={LOCK}",
    ]  # fmt: skip
    run(command, seconds=600, log=log)
    # Console scripts of libraries name this machine's interpreter, and nobody calls them in a pod.
    shutil.rmtree(place / "bin", ignore_errors=True)
    (place / "bin").mkdir()
    for tests in [each for each in place.rglob("tests") if each.is_dir()]:
        shutil.rmtree(tests, ignore_errors=True)  # one may be inside of another
    for file in place.glob("*.dist-info/RECORD"):
        file.unlink()  # lists compiled files with this run's temporary names


def inside(root: Path, arguments: list[str], log: Path) -> None:
    """Run the image's own Python inside the root file system, with nothing of this machine's environment."""
    environment = ["PATH=/usr/bin:/bin", f"PYTHONPATH=/{PLACE}", "PYTHONDONTWRITEBYTECODE=1", "LANG=C.UTF-8"]
    run(
        ["chroot", root, "/usr/bin/env", "-i", *environment, f"/usr/bin/python{PYTHON}", *arguments],
        seconds=600,
        log=log,
    )
