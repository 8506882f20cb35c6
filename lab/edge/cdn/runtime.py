"""What the running cache was told beside the CDN's API, by its administrative port, and how that is taken back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lab.edge.cdn.varnish import Varnish

PARAMETERS: dict[str, str | int] = {
    "feature": "+http2",
    # Smaller than an origin's: what it would refuse never reaches it.
    "http_req_size": 8 * 1024,
    "http_req_hdr_len": 4 * 1024,
    "thread_pools": 1,
    "thread_pool_min": 20,
    "thread_pool_max": 500,
    "vsl_space": 16 * 1024 * 1024,
}
"""What the cache is started with; sizes in bytes."""
_BY_PROBE = "probe"
CONFIGURATION = "configuration"


@dataclass(frozen=True)
class Difference:
    """One thing that the running cache has otherwise.

    Attributes:
        name: `configuration`, a parameter, or an origin as `health of NAME`.
        declared: what it should be.
        live: what it is.
    """

    name: str
    declared: str
    live: str

    def as_json(self) -> dict[str, str]:
        """Return it in plain values."""
        return {"name": self.name, "declared": self.declared, "live": self.live}


def differences(varnish: Varnish, wanted: str) -> Iterator[Difference]:
    """Yield what the running cache has otherwise than the API was told.

    Args:
        varnish: the cache.
        wanted: the configuration that it should serve.

    Raises:
        VarnishError: the cache does not answer.
    """
    active = varnish.active()
    live = varnish.shown(active) if active else ""
    if live.strip() != wanted.strip():
        yield Difference(CONFIGURATION, _digest(wanted), f"{_digest(live)}, loaded as {active or 'nothing'}")
    changed = {str(each["name"]): each for each in varnish.changed_parameters()}
    for name in sorted({*PARAMETERS, *changed}):
        yield from _parameter(name, changed.get(name))
    for name, health in varnish.admin_health(active).items():
        if health != _BY_PROBE:
            yield Difference(f"health of {name}", _BY_PROBE, health)


def restore_parameters(varnish: Varnish) -> None:
    """Give each parameter the value that the cache is started with.

    Raises:
        VarnishError: the cache does not answer, or refuses.
    """
    for each in varnish.changed_parameters():
        name = str(each["name"])
        if next(_parameter(name, each), None) is not None:
            varnish.reset_parameter(name)
    changed = {str(each["name"]) for each in varnish.changed_parameters()}
    for name, value in PARAMETERS.items():
        if name not in changed:
            varnish.set_parameter(name, str(value))


def _parameter(name: str, changed: dict[str, Any] | None) -> Iterator[Difference]:
    if changed is None:
        yield Difference(name, str(PARAMETERS[name]), "the program's own default")
        return
    default, live = str(changed["default"]), str(changed["value"])
    declared = str(PARAMETERS.get(name, default))
    if declared.startswith(("+", "-")) and name in PARAMETERS:
        wanted, found = _flags(default) | _flags(declared), _flags(live)
        is_same, declared = wanted == found, ",".join(sorted(wanted))
    else:
        is_same = declared == live
    if not is_same:
        yield Difference(name, declared, live)


def _flags(text: str) -> set[str]:
    return {each.strip() for each in text.split(",") if each.strip() not in {"", "none"}}


def _digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.strip().encode()).hexdigest()[:16]}"
