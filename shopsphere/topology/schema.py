"""The JSON Schema of a topology document, for editors and for the test that keeps the committed copy current."""

from __future__ import annotations

import json
from typing import Any

from shopsphere.foundation.paths import REPOSITORY
from shopsphere.topology.model import Topology

SCHEMA_FILE = REPOSITORY / "docs" / "topology.schema.json"


def topology_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the document."""
    schema = Topology.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def schema_text() -> str:
    """Return the schema as it is committed: two spaces, sorted keys, a newline at the end."""
    return json.dumps(topology_schema(), indent=2, sort_keys=True) + "\n"


def keys_at(location: tuple[int | str, ...]) -> list[str]:
    """Return the keys that the schema knows at a place of the document; none where it has no mapping."""
    schema = topology_schema()
    here = schema
    for part in location:
        if "properties" in here and part in here["properties"]:
            here = here["properties"][part]
        elif isinstance(here.get("additionalProperties"), dict):
            here = here["additionalProperties"]
        elif "patternProperties" in here:
            here = next(iter(here["patternProperties"].values()))
        else:
            here = here.get("items", {})
        if "$ref" in here:
            here = schema["$defs"][here["$ref"].rpartition("/")[2]]
    return list(here.get("properties", {}))
