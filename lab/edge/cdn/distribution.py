"""What the CDN is told to serve: one distribution per public name."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Address
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator
from pydantic.alias_generators import to_camel

from shopsphere.estate.cdn_origin import ORIGIN_PORT

Label = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,40}$")]
HostName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=253)]
PathPrefix = Annotated[str, StringConstraints(pattern=r"^(/[A-Za-z0-9_-]+)+/$", max_length=100)]
ProbePath = Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9._/-]*$", max_length=200)]

ONE_DAY = 86_400


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Policy(StrEnum):
    """How an origin is chosen among the healthy ones."""

    FALLBACK = "fallback"
    ROUND_ROBIN = "round-robin"


class Origin(_Document):
    """A place that has every object of the distribution."""

    name: Label
    address: IPv4Address
    port: int = Field(default=ORIGIN_PORT, ge=1, le=65535)


class Probe(_Document):
    """How an origin's health is seen: `threshold` of the last `window` answers were as expected."""

    path: ProbePath = "/"
    expected_status: int = Field(default=200, ge=200, le=499)
    interval_seconds: int = Field(default=2, ge=1, le=60)
    timeout_seconds: int = Field(default=2, ge=1, le=60)
    window: int = Field(default=3, ge=1, le=64)
    threshold: int = Field(default=2, ge=1, le=64)


class Distribution(_Document):
    """One public name with its paths and origins.

    Attributes:
        name: key in the API.
        host_names: names in the Host header that belong to it.
        data_class: what the distribution carries; a public cloud takes no other.
        paths: prefixes that are served; anything else is refused.
        origins: in order of preference.
        origin_name: that each origin's certificate has to have; None only of what an older version was told and kept,
            which is fetched in clear until it is told anew.
        policy: how one is chosen.
        probe: how their health is seen.
        default_ttl_seconds: for objects whose origin names no lifetime (s).
        stale_seconds: for how long after its lifetime an object is served when no origin answers (s).
    """

    name: Label
    host_names: tuple[HostName, ...] = Field(min_length=1)
    data_class: Literal["public"]
    paths: tuple[PathPrefix, ...] = Field(min_length=1)
    origins: tuple[Origin, ...] = Field(min_length=1)
    origin_name: HostName | None = None
    policy: Policy = Policy.FALLBACK
    probe: Probe = Probe()
    default_ttl_seconds: int = Field(default=3600, ge=1)
    stale_seconds: int = Field(default=7 * ONE_DAY, ge=ONE_DAY)

    @field_validator("origins")
    @classmethod
    def _named_once(cls, origins: tuple[Origin, ...]) -> tuple[Origin, ...]:
        names = [origin.name for origin in origins]
        if len(set(names)) != len(names):
            raise ValueError("each origin once")
        return origins
