"""Physical limits and the model that turns pod requests into watts."""

from __future__ import annotations

from pydantic import Field

from shopsphere.topology.base import Frozen


class PowerModel(Frozen):
    """How much power one unit of a request stands for; `shopsphere.topology.power` has the arithmetic."""

    watts_per_core: float = Field(
        title="Watts per core", description="Power of one requested CPU core (W).", ge=0, strict=True
    )
    watts_per_gib: float = Field(
        title="Watts per GiB", description="Power of one requested GiB of memory (W).", ge=0, strict=True
    )
    watts_per_node: float = Field(
        title="Watts per node",
        description="Power of one idle node, drawn before the first pod runs (W).",
        ge=0,
        strict=True,
    )
    nodes_per_rack: int = Field(
        title="Nodes per rack",
        description="Powered nodes in each rack; their base load is reserved.",
        ge=1,
        strict=True,
    )
    warn_at_percent: int = Field(
        title="Warning level", description="Percent of the limit from which status warns.", ge=1, le=100, strict=True
    )


class Limits(Frozen):
    """What no site may exceed, because the building has no more."""

    racks_per_site: int = Field(title="Racks per site", description="Most racks of one site.", ge=1, strict=True)
    kilowatts_per_site: float = Field(
        title="Power per site", description="Most power of one site (kW).", gt=0, strict=True
    )
