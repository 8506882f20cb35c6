"""What all parts of the topology model share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints
from pydantic.json_schema import SkipJsonSchema

HEADQUARTERS = "headquarters"
"""What stands for a jurisdiction where a site belongs to none: the headquarters site."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$", strict=True)]
"""Names become DNS labels, Kubernetes label values and file names, so they obey the strictest of them."""

Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=10)]
"""A text that a person reads; too short a one says nothing."""

Derived = SkipJsonSchema[str]
"""A value the loader takes from elsewhere in the document; nobody writes it, so the schema does not have it."""


class Frozen(BaseModel):
    """A static fact: validated once, never changed, with no key that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
