"""Tools: the right version on PATH is used, everything else is built once, and an interrupted build goes on."""

import json
import os
import re
import shutil
import textwrap
from pathlib import Path

import pytest
from present import present

from lab.tools import ToolMissingError, program
from lab.tools import build as building
from lab.tools.build import Go
from lab.tools.catalogue import TOOLS, CatalogueError, Tool, load_catalogue, required_go
from lab.tools.ensure import choose, ensure_tools, plan_tool
from lab.tools.go_toolchain import find_caches
from lab.tools.on_path import tool_on_path
from lab.tools.stamps import installed_files, stamp_file, tool_key, valid_stamp
from shopsphere.foundation.errors import UsageError
from shopsphere.foundation.paths import REPOSITORY, tools_directory
from shopsphere.foundation.process import run

CATALOGUE = """
tools:
  greeter:
    version: 1.2.3
    purpose: proves builds
    seconds: 5
    disk_gib: 0.1
    link: {main.version: 1.2.3}
    programs:
      first: {package: ., version_arguments: [--version]}
      second: {package: ./second, version_arguments: [--version]}
"""
MAIN = 'package main\n\nvar version = "none"\n\nfunc main() { println("greeter", version) }\n'


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue with one tiny real Go module of two programs, and an empty cache."""
    monkeypatch.setenv("SHOPSPHERE_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "tools"
    (folder / "greeter" / "second").mkdir(parents=True)
    (folder / "tools.yaml").write_text(CATALOGUE)
    (folder / "greeter" / "go.mod").write_text("module shopsphere.test/tools/greeter\n\ngo 1.21\n")
    (folder / "greeter" / "main.go").write_text(MAIN)
    return folder


@pytest.fixture
def one_program(catalogue: Path) -> dict[str, Tool]:
    file = catalogue / "tools.yaml"
    file.write_text("\n".join(line for line in CATALOGUE.splitlines() if "second:" not in line))
    return load_catalogue(catalogue)


def put_on_path(folder: Path, monkeypatch: pytest.MonkeyPatch, **versions: str) -> None:
    folder.mkdir(exist_ok=True)
    for name, version in versions.items():
        script = folder / name
        script.write_text(f"#!/bin/sh\necho {name} v{version}\n")
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.mark.requirement("one go.mod and go.sum per tool, and no folder that nobody builds")
def test_catalogue_and_folders_agree() -> None:
    tools = load_catalogue()
    assert {folder.name for folder in TOOLS.iterdir() if folder.is_dir()} == set(tools)
    for tool in tools.values():
        needs_sums = "require" in (tool.folder / "go.mod").read_text()
        assert (tool.folder / "go.sum").exists() == needs_sums, tool.name


@pytest.mark.requirement("tools and Python packages are pairs")
@pytest.mark.parametrize("name", ["pulumi", "pulumi-kubernetes"])
def test_tool_pairs_with_its_python_package(name: str) -> None:
    pinned = re.search(rf"^{name}==(\S+)", (REPOSITORY / "requirements.in").read_text(), re.MULTILINE)
    assert present(pinned)[1] == load_catalogue()[name].version


@pytest.mark.parametrize(
    "name", ["etcd", "kubernetes", "kube-router", "coredns", "cnpg-manager", "crane", "pulumi", "versitygw"]
)
def test_module_has_the_version_that_the_catalogue_promises(name: str) -> None:
    tool = load_catalogue()[name]
    assert f" v{tool.version}" in (tool.folder / "go.mod").read_text()


def test_lab_does_not_build_what_only_owners_use() -> None:
    tools = load_catalogue()
    assert set(tools) - set(choose(None, tools)) == {"crane"}
    assert list(choose(["crane"], tools)) == ["crane"]


def test_unknown_keys_are_refused(catalogue: Path) -> None:
    file = catalogue / "tools.yaml"
    file.write_text(CATALOGUE + "    colour: blue\n")
    with pytest.raises(CatalogueError, match="colour"):
        load_catalogue(catalogue)


def test_missing_module_is_named(catalogue: Path) -> None:
    (catalogue / "greeter" / "go.mod").unlink()
    with pytest.raises(CatalogueError, match=r"expected: .*greeter/go\.mod"):
        load_catalogue(catalogue)


def test_go_version_is_the_highest_that_a_module_asks_for() -> None:
    assert (1, 26) <= required_go(load_catalogue()) < (1, 27)


@pytest.mark.requirement("a tool on PATH with the right version is used")
def test_right_version_on_path_is_used(catalogue: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_on_path(tmp_path / "usr", monkeypatch, first="1.2.3", second="1.2.3")
    tools = load_catalogue(catalogue)
    ensure_tools(tools=tools)
    assert plan_tool(tools["greeter"]).state == "path"
    assert program("first").resolve() == tmp_path / "usr" / "first"
    assert "v1.2.3" in run([program("second")]).stdout


@pytest.mark.parametrize("version", ["1.2.4", "1.2.30", "11.2.3", "1.2.3.1", "1.2.3-rc1"])
def test_other_versions_on_path_are_not_used(
    catalogue: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    put_on_path(tmp_path / "usr", monkeypatch, first="1.2.3", second=version)
    assert tool_on_path(load_catalogue(catalogue)["greeter"]) is None


def test_half_a_tool_on_path_is_not_used(catalogue: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_on_path(tmp_path / "usr", monkeypatch, first="1.2.3")
    assert tool_on_path(load_catalogue(catalogue)["greeter"]) is None


def test_our_own_folder_does_not_count_as_path(catalogue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools_directory().mkdir(parents=True)
    put_on_path(tools_directory(), monkeypatch, first="1.2.3", second="1.2.3")
    assert tool_on_path(load_catalogue(catalogue)["greeter"]) is None


def test_program_that_vanishes_from_path_is_noticed(
    catalogue: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on_path(tmp_path / "usr", monkeypatch, first="1.2.3", second="1.2.3")
    tools = load_catalogue(catalogue)
    ensure_tools(tools=tools)
    (tmp_path / "usr" / "first").unlink()
    assert plan_tool(tools["greeter"]).state == "to build"


@pytest.mark.requirement("a tool is built once")
def test_built_once_and_again_only_when_its_sources_change(one_program: dict[str, Tool], catalogue: Path) -> None:
    tool = one_program["greeter"]
    ensure_tools(tools=one_program)
    assert run([program("first")]).stderr == "greeter 1.2.3\n"
    built = program("first").stat().st_ino
    ensure_tools(tools=one_program)
    assert program("first").stat().st_ino == built
    (catalogue / "greeter" / "main.go").write_text(MAIN.replace("greeter", "salute"))
    assert valid_stamp(tool) is None
    ensure_tools(tools=one_program)
    assert run([program("first")]).stderr == "salute 1.2.3\n"


def test_truncated_program_is_built_again(one_program: dict[str, Tool]) -> None:
    ensure_tools(tools=one_program)
    program("first").write_bytes(b"")
    assert plan_tool(one_program["greeter"]).state == "to build"


@pytest.mark.requirement("an interrupted build is resumed")
def test_interrupted_build_goes_on_where_it_stopped(catalogue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = load_catalogue(catalogue)
    built = []
    real_build = building.Go.build

    def build(go: Go, package: str, target: Path, link: dict[str, str]) -> None:
        built.append(target.name)
        if target.name == "second" and built.count("second") == 1:
            raise KeyboardInterrupt
        # The second program has no sources of its own here: what counts is which programs are built.
        real_build(go, ".", target, link)

    monkeypatch.setattr(building.Go, "build", build)
    with pytest.raises(KeyboardInterrupt):
        ensure_tools(tools=tools)
    assert not stamp_file(tools["greeter"]).exists()
    assert not any(file.exists() for file in installed_files(tools["greeter"]).values())
    ensure_tools(tools=tools)
    assert built == ["first", "second", "second"]
    assert plan_tool(tools["greeter"]).state == "built"
    assert not list((tools_directory().parent / "work").iterdir())


@pytest.mark.requirement("a failed build says why and where its log is")
def test_failed_build_shows_last_lines_and_log(one_program: dict[str, Tool], catalogue: Path) -> None:
    (catalogue / "greeter" / "main.go").write_text("package main\n\nfunc main() { undefined_word() }\n")
    with pytest.raises(building.ToolBuildError) as failure:
        ensure_tools(tools=one_program)
    message = str(failure.value)
    assert "undefined: undefined_word" in message
    log = present(re.search(r"log:\s+(\S+)", message))[1]
    assert "undefined_word" in open(log).read()  # noqa: PTH123, SIM115 - the path is text of the message
    (catalogue / "greeter" / "main.go").write_text(MAIN)
    ensure_tools(tools=one_program)
    assert program("first").exists()


@pytest.mark.requirement("builds are checked against committed sums")
def test_module_that_is_not_in_go_sum_is_refused(one_program: dict[str, Tool], catalogue: Path) -> None:
    (catalogue / "greeter" / "go.mod").write_text(
        "module shopsphere.test/tools/greeter\n\ngo 1.21\n\nrequire go.etcd.io/bbolt v1.4.3\n"
    )
    (catalogue / "greeter" / "main.go").write_text(
        textwrap.dedent("""
            package main
            import _ "go.etcd.io/bbolt"
            func main() {}
        """)
    )
    with pytest.raises(building.ToolBuildError, match=r"missing go\.sum entry"):
        ensure_tools(tools=one_program)


@pytest.mark.requirement("Go's caches are trimmed afterwards unless they existed before")
def test_only_our_own_go_caches_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPSPHERE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "modules").mkdir()
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "modules"))
    monkeypatch.setenv("GOCACHE", str(tmp_path / "never-made"))
    caches = find_caches()
    assert caches.environment["GOMODCACHE"] == str(tmp_path / "modules")
    assert caches.ours == (tmp_path / "cache" / "go" / "gocache",)
    (caches.ours[0] / "package").write_text("compiled")
    caches.trim()
    assert not caches.ours[0].exists()
    assert (tmp_path / "modules").is_dir()


def test_files_that_a_module_lacks_are_made_in_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "module"
    module.mkdir()
    (module / "schema.json").write_text('{\n  "name": "x"\n}')
    (module / "schema.json").chmod(0o444)
    work = tmp_path / "work"
    work.mkdir()
    (work / "go.mod").write_text("module w\n\ngo 1.21\n")
    monkeypatch.setattr(building.Go, "module_folder", lambda _go, _module: module)
    sources = present(load_catalogue()["pulumi-kubernetes"].completed_sources).model_copy(
        update={"module": "example.test/m"}
    )
    entry = sources.minified[0].model_copy(update={"source": "schema.json", "target": "schema-embed.json"})
    sources = sources.model_copy(update={"minified": (entry,)})
    building.complete_sources(sources, building.Go(work, {}, tmp_path / "log"))
    assert json.loads((work / "src" / "schema-embed.json").read_text()) == {"name": "x", "version": "4.27.0"}
    assert "example.test/m => ./src" in (work / "go.mod").read_text()
    assert {file.name for file in module.iterdir()} == {"schema.json"}


def test_key_ignores_what_does_not_change_the_program(catalogue: Path) -> None:
    before = tool_key(load_catalogue(catalogue)["greeter"])
    (catalogue / "tools.yaml").write_text(CATALOGUE.replace("seconds: 5", "seconds: 9"))
    assert tool_key(load_catalogue(catalogue)["greeter"]) == before
    (catalogue / "tools.yaml").write_text(CATALOGUE.replace("main.version: 1.2.3", "main.version: 1.2.4"))
    assert tool_key(load_catalogue(catalogue)["greeter"]) != before


def test_older_work_is_removed(catalogue: Path) -> None:
    tool = load_catalogue(catalogue)["greeter"]
    older = tools_directory().parent / "work" / "greeter@0000000000000000"
    older.mkdir(parents=True)
    assert building.work_folder(tool).name == f"greeter@{tool_key(tool)}"
    assert not older.exists()


def test_unknown_tool_is_named(catalogue: Path) -> None:
    with pytest.raises(UsageError, match="nonsuch"):
        ensure_tools(["nonsuch"], tools=load_catalogue(catalogue))


def test_program_that_is_not_there_says_what_to_do(catalogue: Path) -> None:
    assert catalogue.exists()
    with pytest.raises(ToolMissingError, match="shopsphere lab tools"):
        program("first")


def test_go_is_on_this_machine() -> None:
    assert shutil.which("go"), "these tests build a real module: go has to be on PATH"
