"""Say which of some YAML and TOML files cannot be read: `tools/check_syntax.py FILE...`."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import yaml


def problem(file: Path) -> str:
    """Return why a file cannot be read; empty when it can."""
    try:
        if file.suffix == ".toml":
            tomllib.loads(file.read_text())
        else:
            list(
                yaml.parse(file.read_text(), Loader=yaml.CSafeLoader)
            )  # syntax alone: a file's own tags are its affair
    except (yaml.YAMLError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return " ".join(str(error).split())
    return ""


def main(names: list[str]) -> int:
    """Print one line per file that cannot be read, and return the exit code."""
    found = {name: text for name in names if (text := problem(Path(name)))}
    for name, text in found.items():
        sys.stderr.write(f"{name}: {text}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
