"""Settings of the collector of clicks, read once from the environment, validated and frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.settings import Environment, Listen

MEBIBYTE = 2**20
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
PREFIX = "CLICKS_"
VARIABLES = frozenset(
    {
        *("CLICKS_BOOTSTRAP", "CLICKS_TOPIC", "CLICKS_PARTITIONS", "CLICKS_ACK_SECONDS"),
        *("CLICKS_WAITING_MIB", "CLICKS_CONNECTIONS"),
        *("CLICKS_AUTHORITY_FILE", "CLICKS_CERTIFICATE_FILE", "CLICKS_KEY_FILE"),
        "CLICKS_DECLARATION_FILE",
        *("CLICKS_SASL_MECHANISM", "CLICKS_SASL_USER", "CLICKS_SASL_PASSWORD_FILE"),
    }
)
"""Every variable that begins with PREFIX; another one has no effect, so it is refused."""


class ClicksEnvironment(Environment):
    """The environment with the collector's own variables."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        super().__init__(variables)
        self.refuse_unknown(PREFIX, VARIABLES)

    def file(self, name: str) -> str:
        """Return the path of a file that a variable names; it has to be readable."""
        path = self.text(name)
        if path:
            try:
                Path(path).read_bytes()
            except OSError as error:
                self.refuse(f"{name}: expected a file that can be read, found {path!r}: {error.strerror}")
        return path

    def content(self, name: str) -> str:
        """Return what such a file holds, without the spaces around it; empty when it cannot be read."""
        path = self.file(name)
        try:
            return Path(path).read_text().strip() if path else ""
        except (OSError, UnicodeDecodeError):
            return ""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a process may take.

    Attributes:
        partitions: of the topic that are written to.
        most_waiting: bytes of batches that may wait for the brokers.
        connections: that may be open.
    """

    partitions: int = 6
    most_waiting: int = 16 * MEBIBYTE
    connections: int = 2048


@dataclass(frozen=True, slots=True)
class ClicksSettings:
    """Settings of `shop collect`.

    Attributes:
        topic: that is written to.
        connection: how its brokers are reached, in the words of their client.
        ack_seconds: how long the brokers have to acknowledge a record (s).
    """

    listen: Listen
    topic: str
    connection: Mapping[str, str] = field(repr=False)
    ack_seconds: float
    bounds: Bounds

    @classmethod
    def read(cls, variables: Mapping[str, str] | None = None) -> ClicksSettings:
        """Read and validate the environment.

        Raises:
            SettingsError: lists everything that is missing or wrong.
        """
        environment = ClicksEnvironment(variables)
        settings = cls(
            listen=Listen.read(environment, 8010),
            topic=environment.text("CLICKS_TOPIC", "clicks"),
            connection=connection_of(environment),
            ack_seconds=environment.number("CLICKS_ACK_SECONDS", 8, low=0.1, high=30),
            bounds=Bounds(
                partitions=int(environment.number("CLICKS_PARTITIONS", 6, low=1, high=1000)),
                most_waiting=int(environment.number("CLICKS_WAITING_MIB", 16, low=1, high=1024) * MEBIBYTE),
                connections=int(environment.number("CLICKS_CONNECTIONS", 2048, low=1, high=100_000)),
            ),
        )
        environment.check()
        return settings


@dataclass(frozen=True, slots=True)
class KeeperSettings:
    """Settings of `shop keep-log`.

    Attributes:
        connection: how its broker is reached, in the words of its client.
        declaration_file: path of the file with topics and rights.
    """

    listen: Listen
    connection: Mapping[str, str] = field(repr=False)
    declaration_file: str

    @classmethod
    def read(cls, variables: Mapping[str, str] | None = None) -> KeeperSettings:
        """Read and validate the environment.

        Raises:
            SettingsError: lists everything that is missing or wrong.
        """
        environment = ClicksEnvironment(variables)
        settings = cls(
            listen=Listen.read(environment, 8013),
            connection=connection_of(environment),
            declaration_file=environment.file("CLICKS_DECLARATION_FILE"),
        )
        environment.check()
        return settings


def connection_of(environment: ClicksEnvironment) -> dict[str, str]:
    """Return how brokers are reached: plain, by TLS, and with a password where there is a mechanism for it."""
    authority = environment.text("CLICKS_AUTHORITY_FILE", "")
    mechanism = environment.text("CLICKS_SASL_MECHANISM", "")
    found = {"bootstrap.servers": environment.text("CLICKS_BOOTSTRAP")}
    protocol = "SSL" if authority else "PLAINTEXT"
    if authority:
        found["ssl.ca.location"] = environment.file("CLICKS_AUTHORITY_FILE")
        if environment.text("CLICKS_CERTIFICATE_FILE", ""):
            found["ssl.certificate.location"] = environment.file("CLICKS_CERTIFICATE_FILE")
            found["ssl.key.location"] = environment.file("CLICKS_KEY_FILE")
    if mechanism:
        if mechanism not in MECHANISMS:
            environment.refuse(f"CLICKS_SASL_MECHANISM: expected one of {', '.join(MECHANISMS)}, found {mechanism!r}")
        if not authority:
            environment.refuse("CLICKS_AUTHORITY_FILE: expected a file: a password is sent over TLS only; found none")
        protocol = f"SASL_{protocol}"
        found["sasl.mechanism"] = mechanism
        found["sasl.username"] = environment.text("CLICKS_SASL_USER")
        found["sasl.password"] = environment.content("CLICKS_SASL_PASSWORD_FILE")
    return {**found, "security.protocol": protocol}
