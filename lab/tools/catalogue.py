"""Which programs the lab needs, in which version, and how they are built: the model of tools/tools.yaml."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.foundation.yaml_text import read_yaml_file

TOOLS = REPOSITORY / "tools"


class CatalogueError(ShopSphereError):
    """tools/tools.yaml, or a folder that it names, is not as it has to be."""


class Fact(BaseModel):
    """A validated, frozen part of the catalogue."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Program(Fact):
    """One executable.

    Attributes:
        package: Go package that is its main.
        version_arguments: make a program on PATH print its version; empty when ours is always built.
    """

    package: str
    version_arguments: tuple[str, ...] = ()


class ModuleFile(Fact):
    """A file that comes ready inside a module: a script beside the programs, or data such as a manifest."""

    module: str
    path: str
    kind: Literal["program", "data"]

    @property
    def name(self) -> str:
        """Its file name."""
        return Path(self.path).name


class Minified(Fact):
    """A JSON file that a module's own build makes out of another: without white space, with some keys set."""

    source: str = Field(alias="from")
    target: str = Field(alias="to")
    values: dict[str, str] = Field(default_factory=dict, alias="set")


class CompletedSources(Fact):
    """A module that needs generated files before it compiles."""

    module: str
    minified: tuple[Minified, ...]


class Tool(Fact):
    """What one go.mod builds.

    Attributes:
        name: folder below tools/.
        version: the one right version.
        purpose: what the lab has it for.
        seconds: cold build on 2 cores (s).
        disk_gib: Go's caches while it builds cold (GiB).
        link: Go variables set by the linker.
        programs: executables by name.
        files: ready files taken out of modules.
        completed_sources: set when a module lacks generated files.
        on_demand: no lab needs it; only made when it is named.
        folder: where go.mod and go.sum are.
    """

    name: str
    version: str
    purpose: str
    seconds: int = Field(gt=0)
    disk_gib: float = Field(gt=0)
    link: dict[str, str] = Field(default_factory=dict)
    programs: dict[str, Program] = Field(min_length=1)
    files: tuple[ModuleFile, ...] = ()
    completed_sources: CompletedSources | None = None
    on_demand: bool = False
    folder: Path

    @property
    def executables(self) -> list[str]:
        """Names that end up in the tools folder."""
        return [*self.programs, *(file.name for file in self.files if file.kind == "program")]

    @property
    def data_files(self) -> list[str]:
        """Names that end up in the data folder."""
        return [file.name for file in self.files if file.kind == "data"]

    @property
    def may_come_from_path(self) -> bool:
        """Whether every program can tell its version."""
        return all(program.version_arguments for program in self.programs.values())


def load_catalogue(folder: Path = TOOLS) -> dict[str, Tool]:
    """Read tools.yaml and check that each tool has its go.mod.

    Raises:
        CatalogueError: unknown keys, missing values or a missing go.mod.
    """
    file = folder / "tools.yaml"
    try:
        document = read_yaml_file(file, CatalogueError)
        tools = {
            name: Tool.model_validate({"name": name, "folder": folder / name, **entry})
            for name, entry in document["tools"].items()
        }
    except (ValidationError, KeyError, TypeError) as error:
        raise CatalogueError(f"{file} is not a catalogue of tools: {error}") from error
    for tool in tools.values():
        if not (tool.folder / "go.mod").exists():
            raise CatalogueError.build(
                f"{file}: tools.{tool.name} has no module",
                expected=f"{tool.folder / 'go.mod'}",
                found="nothing",
                action="add the module with its go.sum, or remove the tool",
            )
    return tools


def of_the_lab(tools: dict[str, Tool]) -> dict[str, Tool]:
    """Return the tools without which no lab starts."""
    return {name: tool for name, tool in tools.items() if not tool.on_demand}


def required_go(tools: dict[str, Tool]) -> tuple[int, ...]:
    """The lowest Go version that builds every one of these modules, such as (1, 26, 4)."""
    found = [(1, 21)]
    for tool in tools.values():
        line = re.search(r"^go (\d+(?:\.\d+)*)", (tool.folder / "go.mod").read_text(), re.MULTILINE)
        if line:
            found.append(tuple(int(part) for part in line[1].split(".")))  # type: ignore[arg-type]
    return max(found)
