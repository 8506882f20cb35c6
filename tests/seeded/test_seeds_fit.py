"""Every seed's text stands in its file: asked in a second, so that `make check` tells who changed it."""

from __future__ import annotations

import pytest
from production_topology import filled_in_text
from seeds import SEEDS
from seeds.seed import Seed, SeedError

from shopsphere.foundation.paths import REPOSITORY

TOPOLOGY_OF_PRODUCTION = "topology.prod.yaml"
"""Judged as an owner fills it in."""


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.did)
def test_a_seed_fits_its_file(seed: Seed) -> None:
    written = (REPOSITORY / seed.file).read_text()
    if seed.file == TOPOLOGY_OF_PRODUCTION:
        written = filled_in_text(written)
    assert seed.edited(written) != written


def test_a_seed_that_no_longer_fits_is_no_seed() -> None:
    seed = Seed("nothing", "topology.yaml", "there is no such text", "", "lab", "")
    with pytest.raises(SeedError, match=r"exactly once(?s:.*)0 times"):
        seed.edited((REPOSITORY / seed.file).read_text())
