"""YAML that people write is read exactly as it stands, or refused with its line, within a moment."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import cli.main as cli
from shopsphere.estate.stack_files import StackFileError, read
from shopsphere.foundation.paths import REPOSITORY, TOPOLOGY_FILE
from shopsphere.foundation.yaml_text import YamlError, read_yaml
from shopsphere.topology import TopologyError, parse_topology
from shopsphere.topology.completion import plain

TEXT = TOPOLOGY_FILE.read_text()
LINE = next(number for number, line in enumerate(TEXT.splitlines(), start=1) if line.startswith("version:"))
RACKS = next(number for number, line in enumerate(TEXT.splitlines(), start=1) if line.startswith("  frankfurt: {"))


def with_version(text: str) -> str:
    return TEXT.replace("version: 1\n", f"version: {text}\n")


def laughs(levels: int) -> str:
    """Aliases of aliases: each level repeats the one before it nine times."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("written", "expected", "found"),
    [
        ("2026-13-45", "text in quotes", "2026-13-45, which YAML reads as a point in time"),
        ("2026-01-02", "text in quotes", "a point in time"),
        ("9" * 5000, "a decimal number", "of 5000 digits"),
        (f"{'1' * 400}.5", "a decimal number", "of 402 digits"),
        ("[" * 3000 + "]" * 3000, "at most 20 levels", "more levels"),
        ("[" * 3000, "at most 20 levels", "more levels"),
        ("!!int '1'", "no tag", "the tag int"),
        ("=", "text in quotes", "a default"),
    ],
)  # fmt: skip
def test_a_value_that_yaml_reads_as_something_else_is_refused_with_its_line(
    written: str, expected: str, found: str
) -> None:
    began = time.process_time()
    with pytest.raises(TopologyError) as caught:
        parse_topology(with_version(written), "test.yaml")
    assert expected in caught.value.expected
    assert found in caught.value.found
    assert f"test.yaml:{LINE}: version" in str(caught.value)
    assert len(str(caught.value)) < 1000
    assert time.process_time() - began < 20


@pytest.mark.parametrize(
    "written", ["010", "0226", "1:30", "1_50", "0x10", "0b11", "+8", "08", "1e1", ".5", "1.", "yes"]
)
def test_a_number_is_decimal_or_refused(written: str) -> None:
    text = TEXT.replace(
        "frankfurt: {city: Frankfurt, country: DE, racks: 8,",
        f"frankfurt: {{city: Frankfurt, country: DE, racks: {written},",
    )
    with pytest.raises(TopologyError) as caught:
        parse_topology(text, "test.yaml")
    assert caught.value.path == "sites.frankfurt.racks"
    assert f"test.yaml:{RACKS}: " in str(caught.value)
    assert written in caught.value.found


@pytest.mark.parametrize("levels", [6, 9, 30])
def test_aliases_of_aliases_are_counted_before_they_are_built(levels: int) -> None:
    began = time.process_time()
    with pytest.raises(TopologyError) as caught:
        parse_topology(TEXT + laughs(levels), "test.yaml")
    assert "at most 20000 values" in caught.value.expected
    assert caught.value.problems[0].line is not None
    assert time.process_time() - began < 20


def test_what_an_alias_repeats_is_a_part_of_its_own() -> None:
    text = TEXT.replace("client_networks: [10.99.64.0/20]", "client_networks: &networks [10.99.64.0/20]")
    with pytest.raises(TopologyError) as caught:
        parse_topology(text.replace("client_networks: [10.99.80.0/20]", "client_networks: *networks"))
    assert "the same as" in caught.value.found


def test_a_key_is_text() -> None:
    with pytest.raises(TopologyError) as caught:
        parse_topology(TEXT.replace("PL: Poland", "NO: Norway"))
    assert 'text in quotes, as in "NO"' in caught.value.expected
    with pytest.raises(TopologyError, match="a text as key"):
        parse_topology("? [a, b]\n: c\n")


def test_a_long_document_is_refused_in_a_moment() -> None:
    began = time.process_time()
    with pytest.raises(TopologyError, match="characters"):
        parse_topology("a: b\n" * 300_000)
    with pytest.raises(TopologyError, match="values"):
        parse_topology("a:\n" + "- b\n" * 200_000)
    with pytest.raises(TopologyError):
        parse_topology("a: [" + "b, " * 200_000)
    assert time.process_time() - began < 20


@given(st.text(alphabet="ab0123456789:-_.[]{}&*!'\"\n #|>%~,?=<", max_size=60))
def test_any_text_is_read_or_refused_and_texts_are_as_written(text: str) -> None:
    with contextlib.suppress(YamlError):
        assert read_yaml(text).value == yaml.load(text, Loader=yaml.CSafeLoader)


def test_every_committed_file_that_people_write_is_read() -> None:
    files = [
        *REPOSITORY.glob("*.yaml"), *REPOSITORY.glob("stacks/*/*.yaml"),
        REPOSITORY / "lab" / "hosts.yaml", REPOSITORY / "tools" / "tools.yaml",
    ]  # fmt: skip
    committed = [file for file in files if not file.is_symlink()]  # a lab's stack files are links into the lab
    assert len(committed) > 15
    for file in committed:
        assert read_yaml(file.read_text()).value == yaml.safe_load(file.read_text()), file


def test_a_stack_file_is_read_by_the_same_rule(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.prod-x.yaml"
    for written in ("010", "1:30", "2026-13-45", "9" * 5000, "[" * 3000):
        file.write_text(f"config:\n  shopsphere:replicas: {written}\n")
        with pytest.raises(StackFileError) as caught:
            read(file)
        assert f"{file.name}:2: config.shopsphere:replicas" in str(caught.value)
    file.write_bytes(b"config: {}\n# M\xfcnchen\n")
    with pytest.raises(StackFileError, match="no text in UTF-8"):
        read(file)


def test_the_shell_completes_nothing_from_a_damaged_file(tmp_path: Path) -> None:
    for number, text in enumerate((f"pairs: {'[' * 3000}", "pairs: 2026-13-45", f"pairs: {'9' * 5000}", "pairs: [a]")):
        file = tmp_path / f"{number}.yaml"
        file.write_text(text)
        assert plain(file) in ({}, {"pairs": ["a"]})


@pytest.mark.parametrize("written", ["2026-13-45", "9" * 5000, "[" * 3000])
def test_the_command_says_so(written: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "topology.yaml"
    file.write_text(with_version(written))
    assert cli.run(["topology", "check", str(file)]) == 1
    assert f"topology.yaml:{LINE}" in capsys.readouterr().err.replace("\n", "")
