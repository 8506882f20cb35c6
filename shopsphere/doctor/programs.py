"""The programs that a deployment runs on this machine, and their versions."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

from shopsphere.deploy.environment import program_path
from shopsphere.deploy.programs import PLUGIN, find_program
from shopsphere.doctor.question import failed
from shopsphere.estate.paths import pulumi_home
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.finding import Finding, fails, passes
from shopsphere.foundation.process import run

_SECONDS = 6.0
_LANGUAGE = "pulumi-language-python"


def pulumi() -> Finding:
    """Ask `pulumi` for its version, which the Python library has to agree with."""
    program = _place("pulumi")
    if program is None:
        return _missing("pulumi")
    try:
        said = run([program, "version"], env={"PATH": program_path()}, seconds=_SECONDS).stdout
    except ShopSphereError as error:
        return failed(error, "install it anew")
    return judge_pulumi(said, version("pulumi"), str(program))


def judge_pulumi(said: str, library: str, program: str) -> Finding:
    """Judge the program's version: the same major and minor as the library's."""
    numbers = re.search(r"(\d+)\.(\d+)\.(\d+)", said)
    found = numbers[0] if numbers else said.strip() or "no version"
    if found.split(".")[:2] != library.split(".")[:2]:
        return fails(f"{program} is {found}, the Python library {library}", f"install pulumi {library}")
    return passes(f"{program} {found}")


def plugins() -> Finding:
    """Look for the plugins that stacks need: nothing is downloaded during a deployment."""
    wanted = version("pulumi-kubernetes")
    installed = pulumi_home() / "plugins" / f"resource-kubernetes-v{wanted}" / PLUGIN
    places = {_LANGUAGE: _place(_LANGUAGE), PLUGIN: installed if installed.exists() else _place(PLUGIN)}
    missing = [name for name, place in places.items() if place is None]
    return _missing(", ".join(missing)) if missing else passes(f"{', '.join(places)} {wanted}")


def _place(program: str) -> Path | None:
    try:
        return find_program(program)
    except ShopSphereError:
        return None


def _missing(programs: str) -> Finding:
    return fails(f"not on PATH and not among the built tools: {programs}", "`shopsphere lab prepare`, or install it")
