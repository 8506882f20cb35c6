"""Only the recommender loads numpy: no process of the shop does, and the shop's image has none until it has to."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence

import pytest

from lab.images.catalogue import IMAGES
from shopsphere.foundation.paths import REPOSITORY

pytestmark = pytest.mark.requirement("recommendations cost the storefront neither memory nor time at its start")

PROCESSES = (
    *("app.server", "app.web.application", "app.payments.application", "app.psp.application", "app.cli"),
    *("app.clicks.serving", "app.insight.application"),
)
FOR_PAGES = tuple(
    f"app.recommendations.{name}" for name in ("because", "bounds", "fallbacks", "recently", "groups", "conversion")
)
"""What a page needs of the recommendations: 20 MiB in each process would be much for a cookie and two lists."""


def loaded_by(modules: Sequence[str]) -> set[str]:
    """The first words of all modules in a process that imports these, in an interpreter of its own."""
    program = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, text=True, capture_output=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


def locked(file: str) -> dict[str, str]:
    """Versions by name."""
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", (REPOSITORY / file).read_text(), re.MULTILINE))


def test_no_process_of_the_shop_loads_numpy() -> None:
    loaded = loaded_by([*PROCESSES, *FOR_PAGES])
    assert {"app", "litestar"} <= loaded
    assert "numpy" not in loaded


def test_what_answers_does_load_it() -> None:
    assert "numpy" in loaded_by(["app.recommendations.row"])


def test_an_image_with_numpy_has_the_library_that_it_is_linked_to() -> None:
    """The wheel brings its own BLAS and not libstdc++, which nothing else in the image asks for."""
    assert ("numpy" in locked("app/requirements.lock")) == ("libstdc++6" in IMAGES["shop"].packages)


def test_all_locks_have_one_version_of_it() -> None:
    found = {file: locked(file).get("numpy") for file in
             ("requirements.lock", "requirements-dev.lock", "app/requirements.lock")}  # fmt: skip
    assert found["requirements.lock"]
    assert set(found.values()) <= {None, found["requirements.lock"]}
