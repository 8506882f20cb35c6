"""What a stack says of the event log: nothing where it has none, its own broker, or a cluster of its owner's."""

from __future__ import annotations

import re
from ipaddress import IPv4Network
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from shopsphere.estate.site_config_parts import Frozen, Quantity, Text

_SERVER = re.compile(r"[A-Za-z0-9.-]+:(?P<port>[0-9]{1,5})")


def _servers(text: str) -> str:
    ports = {found["port"] for each in text.split(",") if (found := _SERVER.fullmatch(each.strip()))}
    if len(ports) != 1 or not all(_SERVER.fullmatch(each.strip()) for each in text.split(",")):
        raise ValueError("should be host:port, several with commas between and all with one port")
    return ",".join(each.strip() for each in text.split(","))


class KafkaConfig(Frozen):
    """The event log of a site: its own broker by `size`, or a cluster that exists by `bootstrapServers`."""

    size: Quantity | None = Field(default=None, description="Size of the volume of the site's own broker.")
    bootstrap_servers: Annotated[str, AfterValidator(_servers)] | None = Field(
        default=None, description="Brokers of a cluster that exists, inside the region: host:port, with commas between."
    )
    networks: tuple[IPv4Network, ...] = Field(
        default=(), description="Addresses of these brokers, as CIDRs of one address each; only for them."
    )
    authority: str = Field(default="", description="Who vouches for these brokers (PEM); only for them.")
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", description="How the collector says who it is to them."
    )
    sasl_user: Text | None = Field(
        default=None, description="As whom; the password is the secret kafkaPassword. Only for a cluster that exists."
    )
    click_partitions: int = Field(
        default=6, ge=1, le=1000, description="Partitions of the topic `clicks`; made so, or found so at a cluster."
    )
    click_retention_mib: int = Field(
        default=64, ge=4, le=1_048_576, description="Most of a partition of `clicks` that is kept (MiB)."
    )

    @model_validator(mode="after")
    def _is_one_of_two(self) -> Self:
        if (self.size is None) == (self.bootstrap_servers is None):
            raise ValueError("should have size, for a broker of the site's own, or bootstrapServers, and not both")
        elsewhere = {"networks": self.networks, "authority": self.authority, "saslUser": self.sasl_user}
        given = [name for name, value in elsewhere.items() if value]
        if self.size is not None and given:
            raise ValueError(f"should not have {', '.join(given)}: the site's own broker has its certificates from up")
        if self.size is None and len(given) < len(elsewhere):
            missing = ", ".join(name for name in elsewhere if name not in given)
            raise ValueError(f"should have {missing} too: a cluster is reached by TLS, with a password, where it is")
        return self

    @property
    def port(self) -> int:
        """Of the brokers of a cluster that exists."""
        return int((self.bootstrap_servers or ":0").rpartition(":")[2])
