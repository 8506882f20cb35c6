"""Settings of the simulated payment provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.settings import Environment, Listen


@dataclass(frozen=True, slots=True)
class PspSettings:
    """Settings of `shop psp`."""

    listen: Listen
    state_file: Path
    api_key: str = field(repr=False)
    admin_token: str = field(repr=False)

    @classmethod
    def read(cls, variables: Mapping[str, str] | None = None) -> PspSettings:
        """Read and validate the environment."""
        environment = Environment(variables)
        state_file = environment.text("PSP_STATE_FILE", "/tmp/shopsphere-psp.sqlite")  # noqa: S108 a simulator's state
        settings = cls(
            listen=Listen.read(environment, 8070),
            state_file=Path(state_file),
            api_key=environment.text("PSP_API_KEY", ""),
            admin_token=environment.text("PSP_ADMIN_TOKEN", ""),
        )
        environment.check()
        return settings
