"""Looks for drift at the lab's sites, which say what is so as soon as everybody has had the time to answer."""

from __future__ import annotations

import json
from typing import Any

from lab_access import Lab

LOOKS = 4
"""At most: who does not answer on a busy machine is unknown, which is neither clean nor drift."""


def looked(lab: Lab, target: str) -> dict[str, Any]:
    """Look until nothing is unseen, but not for ever, and return what the last look has found."""
    document: dict[str, Any] = {}
    for _ in range(LOOKS):
        document = json.loads(lab("drift", target, "--json", check=False).stdout)
        if not document["unseen"]:
            break
    return document
