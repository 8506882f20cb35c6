"""Assembles the pack. `PolicyPack` serves until the engine ends it, so nothing after it runs and no rule lives here."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the engine starts a pack inside its own folder

from pulumi_policy import EnforcementLevel, PolicyPack

from policies.pack import policy_of
from policies.registry import PACK_NAME, discover

PolicyPack(
    name=PACK_NAME,
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[policy_of(rule) for rule in discover()],
)
