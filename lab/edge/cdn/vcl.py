"""From distributions to Varnish's configuration language."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lab.edge.cdn.distribution import Distribution

OTHER_TRIES = 3
"""How many more origins are asked when one fails or does not know a name; Varnish's own bound is four."""
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701 - the output is no HTML; the model admits no character with a meaning in VCL
)


def _identifier(text: str) -> str:
    """Return a VCL name; `-` becomes `_`, which labels cannot contain, so that no two names collide."""
    return text.replace("-", "_")


_TEMPLATES.filters["identifier"] = _identifier
_TEMPLATES.filters["pattern"] = re.escape


def render(distributions: Iterable[Distribution]) -> str:
    """Return the configuration that serves these distributions and refuses every other name, path and method."""
    ordered = sorted(distributions, key=lambda distribution: distribution.name)
    return _TEMPLATES.get_template("cdn.vcl.j2").render(distributions=ordered, other_tries=OTHER_TRIES)
