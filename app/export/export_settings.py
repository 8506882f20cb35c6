"""Settings of a region's exporter, read once from the environment, validated and frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from app.export.vocabulary import Currency
from app.settings import Environment, Listen

PREFIX = "EXPORT_"
VARIABLES = frozenset(
    {
        *("EXPORT_REGION", "EXPORT_CURRENCIES", "EXPORT_SINCE", "EXPORT_SECONDS", "EXPORT_HEADQUARTERS"),
        *("EXPORT_AUTHORITY_FILE", "EXPORT_CERTIFICATE_FILE", "EXPORT_KEY_FILE"),
        *("EXPORT_SIGNING_KEY_FILE", "EXPORT_FORMER_KEYS_FILE"),
    }
)
"""Every variable that begins with PREFIX; another one has no effect, so it is refused."""
PORT = 8015
MOST_REGION = 99
_NO_DAY = date.max


class ExportEnvironment(Environment):
    """The environment with the exporter's own variables."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        super().__init__(variables)
        self.refuse_unknown(PREFIX, VARIABLES)

    def currencies(self, name: str) -> frozenset[Currency]:
        """Return the currencies that a variable lists with commas."""
        words = {word.strip() for word in self.text(name).split(",") if word.strip()}
        if unknown := sorted(words - set(Currency)):
            self.refuse(f"{name}: expected ISO 4217 codes of app/export/vocabulary.py, found {', '.join(unknown)}")
        return frozenset(Currency(word) for word in words & set(Currency))

    def day(self, name: str) -> date:
        """Return a day that a variable has, as 2026-12-01."""
        value = self.text(name)
        try:
            return date.fromisoformat(value) if value else _NO_DAY
        except ValueError:
            self.refuse(f"{name}: expected a day as 2026-12-01, found {value!r}")
            return _NO_DAY

    def https_url(self, name: str) -> str:
        """Return an https address."""
        value = self.url(name)
        if value.startswith("http://"):
            self.refuse(f"{name}: expected an https:// address, found {value!r}")
        return value


@dataclass(frozen=True, slots=True)
class ExportSettings:
    """Settings of `shop export`.

    Attributes:
        listen: for probes and figures.
        region: its number at headquarters.
        currencies: that it sells in.
        since: the first day of which a release is made (UTC).
        every_seconds: between two looks at what is due while nothing waits (s).
        headquarters: where its server is, https.
        authority: file with the certificates that headquarters is trusted by.
        certificate: file with this region's.
        key: file with the key of that.
        signing_key: file with what signs releases (Ed25519, PEM).
        former_keys: file with public keys that signed before; None for none.
    """

    listen: Listen
    region: int
    currencies: frozenset[Currency]
    since: date
    every_seconds: float
    headquarters: str
    authority: Path
    certificate: Path
    key: Path
    signing_key: Path
    former_keys: Path | None
    commerce_dsn: str = field(repr=False)
    other_commerce_dsn: str = field(repr=False)

    @classmethod
    def read(cls, variables: Mapping[str, str] | None = None) -> ExportSettings:
        """Read and validate the environment.

        Raises:
            SettingsError: lists everything that is missing or wrong.
        """
        environment = ExportEnvironment(variables)
        former = environment.text("EXPORT_FORMER_KEYS_FILE", "")
        settings = cls(
            listen=Listen.read(environment, PORT),
            region=int(environment.number("EXPORT_REGION", 0, low=1, high=MOST_REGION)),
            currencies=environment.currencies("EXPORT_CURRENCIES"),
            since=environment.day("EXPORT_SINCE"),
            every_seconds=environment.number("EXPORT_SECONDS", 60, low=0.05, high=3600),
            headquarters=environment.https_url("EXPORT_HEADQUARTERS"),
            authority=Path(environment.text("EXPORT_AUTHORITY_FILE")),
            certificate=Path(environment.text("EXPORT_CERTIFICATE_FILE")),
            key=Path(environment.text("EXPORT_KEY_FILE")),
            signing_key=Path(environment.text("EXPORT_SIGNING_KEY_FILE")),
            former_keys=Path(former) if former else None,
            commerce_dsn=environment.dsn("COMMERCE_DSN", "COMMERCE_PASSWORD"),
            other_commerce_dsn=environment.other_dsn("COMMERCE_DSN", "COMMERCE_PASSWORD"),
        )
        environment.check()
        return settings
