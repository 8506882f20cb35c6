"""What a door is started with: the APIs behind it, and the addresses in front."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from shopsphere.foundation.errors import ShopSphereError
from shopsphere.names.pair_state import PairDeclaration, public_addresses
from shopsphere.topology import Topology

LARGEST_BODY = 48 * 1024
"""Bytes of a request: all names of a zone in one change take a tenth of it."""
SHORTEST_SECRET = 32
"""Characters of whatever opens something behind the door."""


class DoorError(ShopSphereError):
    """The door cannot be started with what it was given."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Service(_Part):
    """One API behind the door.

    Attributes:
        kind: which rights count: those of a DNS authority, or of the CDN.
        address: where it is asked in front, over TLS.
        port: in front.
        inner_port: where it answers on loopback, in clear.
        key_file: the key, or token, that it takes; nobody outside has it.
    """

    kind: Literal["dns", "cdn"]
    address: IPv4Address
    port: int = Field(ge=1, le=65535)
    inner_port: int = Field(ge=1, le=65535)
    key_file: Path

    def header(self) -> tuple[str, str]:
        """Return the header by which the API knows the door.

        Raises:
            DoorError: the key is missing, or short enough to be guessed.
        """
        key = secret_of(self.key_file)
        return ("X-API-Key", key) if self.kind == "dns" else ("Authorization", f"Bearer {key}")


class DoorPlan(_Part):
    """All of one door.

    Attributes:
        rights_socket: where the program that knows rights listens for the one that ends TLS; nobody else of the host
            comes into its folder, which is made by that program.
        front_user: as whom the one that ends TLS runs; no other user of the host is answered at the socket.
        secret_file: what that program shows it, so that no other program of this user is taken for it.
        refused_file: serial numbers of certificates that open nothing any more (`edge_door.refused`).
        services: by name; the name is part of the log.
        states: inputs of each pair's state record, the only ones that runbooks may write.
    """

    rights_socket: Path
    front_user: str = Field(default="haproxy", pattern=r"^[a-z_][a-z0-9_-]{0,31}$")
    secret_file: Path
    refused_file: Path
    services: dict[str, Service] = Field(min_length=1)
    states: tuple[dict[str, Any], ...] = ()

    def declarations(self) -> dict[str, PairDeclaration]:
        """Return what may be the state of a pair, by the fully qualified name of its record."""
        found = [PairDeclaration.of(each) for each in self.states]
        return {each.name: each for each in found}

    @classmethod
    def read(cls, file: Path) -> DoorPlan:
        """Read a plan.

        Raises:
            DoorError: there is none, or it cannot be used.
        """
        try:
            return cls.model_validate_json(file.read_text())
        except (OSError, ValidationError) as error:
            raise DoorError.build(
                "the door of the edge does not start",
                expected="a plan as docs/edge.md describes it",
                found=str(error),
                action=f"correct {file}",
            ) from error


def declared_states(topology: Topology) -> tuple[Mapping[str, Any], ...]:
    """Return the inputs of each pair's state record, as a plan has them."""
    addresses = public_addresses(topology)
    return tuple(PairDeclaration.declared(topology, each, addresses).props() for each in topology.pairs.values())


def secret_of(file: Path) -> str:
    """Return a secret between programs of one host.

    Raises:
        DoorError: it is missing, or short enough to be guessed.
    """
    found = file.read_text().strip() if file.is_file() else ""
    if len(found) < SHORTEST_SECRET:
        raise DoorError.build(
            "the door of the edge does not start",
            expected=f"at least {SHORTEST_SECRET} characters in {file}",
            found=f"{len(found)}",
            action="put a random key there, and give it to the program that asks for it",
        )
    return found
