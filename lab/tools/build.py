"""Builds one tool from its module, program by program, so that an interrupted build goes on where it stopped."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from lab.tools.catalogue import CompletedSources, ModuleFile, Tool
from lab.tools.stamps import installed_files, source_files, tool_key
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.paths import tools_directory
from shopsphere.foundation.process import CommandError, run
from shopsphere.foundation.progress import step

BUILD_SECONDS = 3600  # kube-apiserver and the provider take 5 to 8 minutes cold on 2 cores
DOWNLOAD_SECONDS = 900


class ToolBuildError(ShopSphereError):
    """A tool could not be built."""


def build_tool(tool: Tool, environment: Mapping[str, str]) -> None:
    """Build what is missing of a tool and put all of it in place at once.

    Args:
        tool: the catalogue's entry.
        environment: Go's variables.

    Raises:
        ToolBuildError: Go failed; with its last lines and the path of the whole log.
    """
    log = tools_directory().parent / "logs" / f"{tool.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    work = work_folder(tool)
    (work / "bin").mkdir(parents=True, exist_ok=True)
    for file in source_files(tool):
        shutil.copyfile(file, work / file.name)
    go = Go(work, environment, log)
    try:
        if tool.completed_sources:
            complete_sources(tool.completed_sources, go)
        for name, program in tool.programs.items():
            if not (work / "bin" / name).exists():
                with step(f"build {name} {tool.version}"):
                    go.build(program.package, work / "bin" / name, tool.link)
        for module_file in tool.files:
            take_file(module_file, go)
    except CommandError as error:
        raise ToolBuildError(
            f"tool {tool.name} could not be built\n{error}\n"
            f"  log:      {log}\n"
            f"  do:       remove the cause and run the same command again: it goes on with {tool.name}"
        ) from error
    install(tool, work)


def work_folder(tool: Tool) -> Path:
    """Where these very sources are built; other folders of the tool are left from other versions."""
    work = tools_directory().parent / "work"
    for older in work.glob(f"{tool.name}@*"):
        if older.name != f"{tool.name}@{tool_key(tool)}":
            shutil.rmtree(older)
    return work / f"{tool.name}@{tool_key(tool)}"


class Go:
    """The go command in one work folder."""

    def __init__(self, work: Path, environment: Mapping[str, str], log: Path) -> None:
        self.work = work
        self._environment = environment
        self._log = log

    def build(self, package: str, target: Path, link: Mapping[str, str]) -> None:
        """Compile and link a program; it appears under its name only when complete."""
        flags = " ".join(["-s", "-w", *(f"-X {variable}={value}" for variable, value in link.items())])
        partial = target.with_name(f".{target.name}.partial")
        command: list[str | Path] = ["go", "build", "-ldflags", flags, "-o", partial, package]
        run(command, cwd=self.work, env=self._environment, seconds=BUILD_SECONDS, log=self._log)
        partial.replace(target)

    def module_folder(self, module: str) -> Path:
        """Download a module of the build list, checked against go.sum, and return its folder in the module cache."""
        command = ["go", "mod", "download", "-json", module]
        answer = run(command, cwd=self.work, env=self._environment, seconds=DOWNLOAD_SECONDS)
        return Path(json.loads(answer.stdout)["Dir"])

    def edit(self, *arguments: str) -> None:
        """Change the work folder's go.mod."""
        run(["go", "mod", "edit", *arguments], cwd=self.work, env=self._environment, seconds=60)


def complete_sources(sources: CompletedSources, go: Go) -> None:
    """Copy a module, make the files that it lacks, and let the work folder's go.mod point to the copy."""
    copy = go.work / "src"
    module = go.module_folder(sources.module)
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(module, copy, copy_function=shutil.copyfile)
    for file in sources.minified:
        document = json.loads((copy / file.source).read_text())
        document.update(file.values)
        target = copy / file.target
        target.parent.chmod(0o755)
        target.write_text(json.dumps(document, separators=(",", ":")))
    go.edit("-replace", f"{sources.module}=./src")


def take_file(file: ModuleFile, go: Go) -> None:
    """Copy a ready file out of a module beside the built programs."""
    target = go.work / "bin" / file.name
    shutil.copyfile(go.module_folder(file.module) / file.path, target)
    target.chmod(0o755 if file.kind == "program" else 0o644)


def install(tool: Tool, work: Path) -> None:
    """Put every file of the tool in place, each by an atomic rename: running programs keep their old file."""
    for name, target in installed_files(tool).items():
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{name}.partial")
        shutil.copy2(work / "bin" / name, partial)
        partial.replace(target)
