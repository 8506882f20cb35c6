"""Kubernetes quantities ("250m", "1Gi") as exact numbers."""

from __future__ import annotations

import re
from decimal import Decimal

from shopsphere.foundation.errors import ShopSphereError

GIB = Decimal(2**30)
_NUMBER = re.compile(r"^([0-9]+(?:\.[0-9]+)?)([A-Za-z]*)$")
_SCALES = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate(("k", "M", "G", "T", "P"), start=1)},
    **{suffix: Decimal(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi"), start=1)},
}


class QuantityError(ShopSphereError):
    """A text that is no Kubernetes quantity of the kinds used here."""


def parse_quantity(quantity: str | float) -> Decimal:
    """Return a quantity in its base unit (cores, bytes, W or pieces); exact, so that sums meet a limit exactly.

    Raises:
        QuantityError: it is no number of at least 0 with a known suffix.
    """
    matched = _NUMBER.match(str(quantity))
    if matched is None or matched[2] not in _SCALES:
        raise QuantityError(
            f"not a quantity\n  expected: a number of at least 0 with a suffix of {', '.join(filter(None, _SCALES))} "
            f"or none\n  found:    {quantity!r}\n  do:       write it as in 250m or 512Mi"
        )
    return Decimal(matched[1]) * _SCALES[matched[2]]


def cores(quantity: str | float) -> Decimal:
    """Return a CPU quantity in cores: "250m" is 0.25."""
    return parse_quantity(quantity)


def gibibytes(quantity: str | float) -> Decimal:
    """Return a memory quantity in GiB: "512Mi" is 0.5."""
    return parse_quantity(quantity) / GIB
