"""Variables that Pulumi reads as options, those that switch rules off among them."""

from __future__ import annotations

import os

OPTION = "PULUMI_OPTION_"


def take_options_away() -> list[str]:
    """Remove from this process's environment, which every `pulumi` inherits, what would be options of it.

    Returns their names. An option is given by this program, or not at all: `PULUMI_OPTION_POLICY_PACK_CONFIG` would
    disable each rule of the pack, and the summary of the run would name the pack all the same.
    """
    found = sorted(name for name in os.environ if name.upper().startswith(OPTION))
    for name in found:
        del os.environ[name]
    return found
