"""Settings of headquarters' server, read once from the environment, validated and frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.settings import Environment, Listen

PREFIX = "TAKE_"
VARIABLES = frozenset({"TAKE_PORT", "TAKE_AUTHORITY_FILE", "TAKE_CERTIFICATE_FILE", "TAKE_KEY_FILE", "TAKE_KEYS"})
"""Every variable that begins with PREFIX; another one has no effect, so it is refused."""
PORT, PROBES_PORT = 8016, 8017


@dataclass(frozen=True, slots=True)
class TakingSettings:
    """Settings of `shop take-releases`.

    Attributes:
        listen: for probes and figures, without TLS.
        port: for regions, at the same address.
        authority: file with the certificates that regions are trusted by.
        certificate: file with that of this server.
        key: file with the key of that.
        keys: folder with `region-N.pem`, the public keys that sign for each region.
    """

    listen: Listen
    port: int
    authority: Path
    certificate: Path
    key: Path
    keys: Path
    reports_dsn: str = field(repr=False)
    other_reports_dsn: str = field(repr=False)

    @classmethod
    def read(cls, variables: Mapping[str, str] | None = None) -> TakingSettings:
        """Read and validate the environment.

        Raises:
            SettingsError: lists everything that is missing or wrong.
        """
        environment = Environment(variables)
        environment.refuse_unknown(PREFIX, VARIABLES)
        settings = cls(
            listen=Listen.read(environment, PROBES_PORT),
            port=int(environment.number("TAKE_PORT", PORT, low=1, high=65535)),
            authority=Path(environment.text("TAKE_AUTHORITY_FILE")),
            certificate=Path(environment.text("TAKE_CERTIFICATE_FILE")),
            key=Path(environment.text("TAKE_KEY_FILE")),
            keys=Path(environment.text("TAKE_KEYS")),
            reports_dsn=environment.dsn("HEADQUARTERS_DSN", "HEADQUARTERS_PASSWORD"),
            other_reports_dsn=environment.other_dsn("HEADQUARTERS_DSN", "HEADQUARTERS_PASSWORD"),
        )
        if settings.port == settings.listen.port:
            environment.refuse(f"TAKE_PORT: expected another port than that of the probes, found {settings.port}")
        environment.check()
        return settings
