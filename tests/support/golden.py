"""Output kept as files: what a person sees, compared letter by letter.

`SHOPSPHERE_GOLDEN=write pytest tests/model/test_golden.py` writes the files anew: read the difference first.
"""

from __future__ import annotations

import os
from pathlib import Path

GOLDEN = Path(__file__).resolve().parents[1] / "model" / "golden"
WRITE = "SHOPSPHERE_GOLDEN"


def require_golden(name: str, text: str) -> None:
    """Compare a text with the file of that name."""
    file = GOLDEN / f"{name}.txt"
    if os.environ.get(WRITE) == "write":
        GOLDEN.mkdir(exist_ok=True)
        file.write_text(text)
    assert file.exists(), f"{file} is missing: {WRITE}=write makes it"
    assert text == file.read_text(), f"{file.name} differs: look at it, then {WRITE}=write renews it"
