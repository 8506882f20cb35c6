"""Images go to a registry by digest, and what it serves is compared with what was built."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from cli import main as cli
from lab import tools
from lab.images import ensure, push
from lab.images.catalogue import IMAGES
from lab.images.push import DEPLOYED, PushError, push_all
from lab.images.record import Archive
from lab.tools import ensure as ensuring
from shopsphere.foundation.errors import UsageError

CONFIGURATION = '{"architecture": "amd64"}'
MANIFEST = f"sha256:{'5' * 64}"
REGISTRY = "registry.eu.example.com:5000/retail"


def archive(folder: Path, *, holds: str = CONFIGURATION, name: str = "gateway") -> Archive:
    digest = hashlib.sha256(holds.encode()).hexdigest()
    file = folder / f"{name}-0123456789abcdef.tar"
    return Archive(name, f"localhost/shopsphere/{name}:2.6", file, digest, 1, (), (), datetime.now(UTC))


@pytest.fixture
def crane(tmp_path: Path) -> Path:
    """A program that answers as crane does, and notes what it was asked."""
    program = tmp_path / "crane"
    program.write_text(
        f"""#!/bin/sh
echo "$@" >> {tmp_path}/asked
case $1 in
  push) echo "$3@{MANIFEST}" ;;
  config) printf '%s' '{CONFIGURATION}' ;;
esac
"""
    )
    program.chmod(0o755)
    return program


def test_reference_has_the_digest_that_the_registry_serves(crane: Path, tmp_path: Path) -> None:
    built = archive(tmp_path)
    name = f"{REGISTRY}/shopsphere/gateway:2.6"
    assert push_all([built], REGISTRY, crane) == {"gateway": f"{name}@{MANIFEST}"}
    assert (tmp_path / "asked").read_text().splitlines() == [f"push {built.path} {name}", f"config {name}@{MANIFEST}"]


def test_registry_that_serves_another_image_is_refused(crane: Path, tmp_path: Path) -> None:
    with pytest.raises(PushError, match="is not what was pushed"):
        push_all([archive(tmp_path, holds="another")], REGISTRY, crane)


def test_push_without_a_digest_is_refused(crane: Path, tmp_path: Path) -> None:
    crane.write_text("#!/bin/sh\necho pushed\n")
    with pytest.raises(PushError, match="pushed"):
        push_all([archive(tmp_path)], REGISTRY, crane)


@pytest.mark.parametrize(
    "word", ["https://registry.example", "registry.example/", "--insecure", "Registry.example", ""]
)
def test_what_names_no_registry_is_refused(crane: Path, tmp_path: Path, word: str) -> None:
    with pytest.raises(UsageError, match="names no registry"):
        push_all([archive(tmp_path)], word, crane)
    assert not (tmp_path / "asked").exists()


def test_lines_fit_into_a_stack_file(
    crane: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(ensuring, "ensure_tools", asked.append)

    def build(names: object) -> list[Archive]:
        asked.append(names)
        return [archive(tmp_path)]

    monkeypatch.setattr(ensure, "build_archives", build)
    monkeypatch.setattr(tools, "program", lambda _name: crane)
    assert cli.run(["images", "push", REGISTRY]) == 0
    reference = f"{REGISTRY}/shopsphere/gateway:2.6@{MANIFEST}"
    assert capsys.readouterr().out == f"  shopsphere:images:\n    gateway: {reference}\n"
    assert asked == [["crane"], DEPLOYED]
    assert cli.run(["images", "push", REGISTRY, "gateway", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["image"], told["reference"]) == ("gateway", reference)


@pytest.mark.requirement("lines that are to be put into a stack's file as they are printed are accepted there")
def test_lines_name_what_stacks_have_and_not_the_operator(
    crane: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ensuring, "ensure_tools", lambda _names: None)
    monkeypatch.setattr(ensure, "build_archives", lambda names: [archive(tmp_path, name=each) for each in names])
    monkeypatch.setattr(tools, "program", lambda _name: crane)
    assert cli.run(["images", "push", REGISTRY]) == 0
    printed = capsys.readouterr().out
    lines = yaml.safe_load(f"config:\n{printed}")["config"]["shopsphere:images"]
    assert set(lines) == {"archive", "gateway", "postgresql", "shop"}
    assert f"  # cnpg-operator: {REGISTRY}/shopsphere/cnpg-operator:2.6@{MANIFEST}\n" in printed
    assert cli.run(["images", "push", REGISTRY, "cnpg-operator"]) == 0
    assert yaml.safe_load(f"config:\n{capsys.readouterr().out}") == {"config": None}


def test_images_of_stacks_are_all_pushed() -> None:
    every_stack_has = {name for name, image in IMAGES.items() if not image.on_demand}
    assert set(push.DEPLOYED) == every_stack_has - {"pause", "coredns"}
