"""Classes of data, and where each may be held."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from shopsphere.topology.base import Derived, Frozen, Name, Sentence


class HeldAt(StrEnum):
    """The reach of a data class.

    `home` and `headquarters` look alike because both name few sites: `home` depends on whose people the data is
    about, `headquarters` is one site whoever they are.
    """

    HOME = "home"
    ANYWHERE = "anywhere"
    HEADQUARTERS = "headquarters"


class DataClass(Frozen):
    """A kind of data that residency rules treat alike."""

    name: Derived = Field(title="Name", description="The key under `data_classes`.")
    held_at: HeldAt = Field(
        title="Held at",
        description="home: the sites of the jurisdiction whose people it is about; anywhere: every site; "
        "headquarters: the headquarters site and no other.",
    )
    description: Sentence = Field(title="Description", description="What belongs to this class, for people.")


class Cdn(Frozen):
    """The content delivery network: a public cloud outside every jurisdiction."""

    carries: tuple[Name, ...] = Field(
        title="Carries",
        description="Data classes that may pass through the CDN; only classes held anywhere qualify.",
        min_length=1,
    )
    paths: tuple[str, ...] = Field(
        title="Paths",
        description="URL path prefixes of static assets; no other path may be served or have an origin.",
        min_length=1,
    )
