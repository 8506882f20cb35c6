"""The checker of the bench of break-glass pairs: it finds two open sites, and only those."""

import sys

import pytest

from shopsphere.foundation.paths import REPOSITORY

sys.path.append(str(REPOSITORY / "bench" / "safety"))
sys.path.append(str(REPOSITORY / "bench" / "break_glass"))
from watching import Look, open_together


def looks(*text: str) -> list[Look]:
    """One look a second; upper case is an open site, `f` and `d` are the sites."""
    return [Look(at, at + 0.5, each.lower(), each.isupper()) for at, each in enumerate("".join(text))]


@pytest.mark.parametrize(
    ("seen", "both"),
    [
        ("fdFdFdFdfdfDfDfD", []),
        ("FdFdfDfDFdFd", []),
        ("FdFDFdFd", [3]),
        ("FdFDfdfd", []),  # it may have shut between
        ("FDFDFD", [1, 2, 3, 4]),
        ("fdfDFDfd", [4]),
        ("", []),
    ],
)
def test_two_open_sites_are_found(seen: str, both: list[float]) -> None:
    assert open_together(looks(seen)) == both
