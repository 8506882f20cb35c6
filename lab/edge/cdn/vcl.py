"""From distributions to Varnish's configuration language."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lab.edge.cdn.distribution import Distribution, Origin
from lab.edge.cdn.ways import NOBODY, Ways

OTHER_TRIES = 3
"""How many more origins are asked when one fails or does not know a name; Varnish's own bound is four."""
_LOOPBACK = "127.0.0.1"
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


def render(distributions: Iterable[Distribution], ways: Ways) -> str:
    """Return the configuration that serves these distributions and refuses every other name, path and method.

    Args:
        distributions: what is served.
        ways: to the sites; one that there is no way to is an origin that does not answer.
    """
    ordered = sorted(distributions, key=lambda distribution: distribution.name)
    return _TEMPLATES.get_template("cdn.vcl.j2").render(
        distributions=ordered, other_tries=OTHER_TRIES, place=partial(_place, ways)
    )


def _place(ways: Ways, distribution: Distribution, origin: Origin) -> tuple[str, int]:
    """Return where the cache asks an origin: on loopback, where its certificate is judged."""
    if distribution.origin_name is None:
        return str(origin.address), origin.port
    return _LOOPBACK, ways[origin.name].local_port if origin.name in ways else NOBODY
