"""Checks the types of every Python file of this repository with one mypy process.

mypy alone cannot: it takes each conftest.py for the same module, and leaves out files whose names are no identifiers,
such as the steps of runbooks and the programs of stacks.
"""

from __future__ import annotations

import sys
from pathlib import Path

from mypy.build import build
from mypy.errors import CompileError
from mypy.fscache import FileSystemCache
from mypy.main import process_options
from mypy.modulefinder import BuildSource

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDERS = ("app", "bench", "cli", "components", "lab", "policies", "runbooks", "shopsphere", "stacks", "tests", "tools")


def python_files() -> list[Path]:
    """Return every Python file that belongs to the repository, relative to its root."""
    found = [file for folder in FOLDERS for file in (REPOSITORY / folder).rglob("*.py")]
    return sorted(file.relative_to(REPOSITORY) for file in [*found, *REPOSITORY.glob("*.py")])


def own_name(file: Path) -> str:
    """Return a module name that no other file has; nothing imports the file by it."""
    return "-".join(file.with_suffix("").parts)


def sources(named: list[BuildSource]) -> list[BuildSource]:
    """Return all files as modules: as mypy names them where one name is one file, else by a name of their own."""
    modules = {Path(each.path or "").resolve().relative_to(REPOSITORY): each.module for each in named}
    counts = {name: list(modules.values()).count(name) for name in modules.values()}
    return [
        BuildSource(str(file), modules[file] if counts.get(modules.get(file, "")) == 1 else own_name(file))
        for file in python_files()
    ]


def main() -> int:
    """Print what mypy finds and return 1 if it found anything."""
    cache = FileSystemCache()
    folders = [folder for folder in FOLDERS if (REPOSITORY / folder).is_dir()]
    named, options = process_options([*sys.argv[1:], *folders], fscache=cache)
    everything = sources(named)
    try:
        messages = build(everything, options, fscache=cache).errors
    except CompileError as error:
        messages = error.messages
    for message in messages:
        print(message)  # noqa: T201 - a program says what it found
    print(f"{len(everything)} files checked, {len(messages)} messages")  # noqa: T201 - as above
    return 1 if messages else 0


if __name__ == "__main__":
    sys.exit(main())
