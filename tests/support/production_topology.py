"""topology.prod.yaml as an owner would have filled it in, with no address of the lab's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from policies import residency_map
from shopsphere.foundation.paths import TOPOLOGY_FILE
from shopsphere.topology import overlay

DOMAIN = "shop.example"
SELLER = {
    "name": "Example AG", "address": "1 Example Street, Example", "represented_by": "E. Xample",
    "email": "service@shop.example", "phone": "+00 1", "registered_as": "HRB 1", "tax_number": "XX1",
    "authority": "an office",
}  # fmt: skip


def fill_in_production(directory: Path, patch: pytest.MonkeyPatch) -> None:
    """Let production's topology be a filled-in copy of the committed file; other topologies are read as ever.

    Args:
        directory: where the copy is put.
        patch: ends the redirection.
    """
    committed = overlay.overlay_file(TOPOLOGY_FILE, "prod")
    copy = directory / committed.name
    copy.write_text(filled_in_text(committed.read_text()))
    real = overlay.overlay_file

    def redirected(path: Path, environment: str) -> Path:
        file = real(path, environment)
        return copy if file == committed else file

    patch.setattr(overlay, "overlay_file", redirected)
    residency_map.topology.cache_clear()


def filled_in(written: dict[str, Any]) -> dict[str, Any]:
    """Replace every placeholder: 198.51.100.11 and on between sites, .61 for archives, 203.0.113.11 for customers."""
    sites = {
        name: {"address": f"198.51.100.{11 + at}", "public_address": f"203.0.113.{11 + at}"}
        for at, name in enumerate(written["sites"])
    }
    jurisdictions = {
        name: {
            "client_networks": [f"100.{64 + at}.0.0/16"],
            **({"archive": {"address": f"198.51.100.{61 + at}"}} if "archive" in entry else {}),
        }
        for at, (name, entry) in enumerate(written["jurisdictions"].items())
    }
    pairs = {name: {"storefront": {"seller": SELLER}} for name in written["pairs"]}
    assert set(written) == {"domain", "jurisdictions", "sites", "pairs"}
    assert all(set(each["storefront"]["seller"]) == set(SELLER) for each in written["pairs"].values())
    assert all(set(each) == {"address", "public_address"} for each in written["sites"].values())
    assert all(
        {"client_networks"} <= set(each) <= {"client_networks", "archive"} for each in written["jurisdictions"].values()
    )
    return {"domain": DOMAIN, "jurisdictions": jurisdictions, "sites": sites, "pairs": pairs}


def filled_in_text(committed: str) -> str:
    """Return the committed file's text as its owner would have written it."""
    return yaml.safe_dump(filled_in(yaml.safe_load(committed)))
