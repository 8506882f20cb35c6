"""docs/production.md is followed by a program: its table is the page's, and knows every step that is printed."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cli import main as cli
from runbooks.install import hosts
from shopsphere.estate.access import CdnAccess, EdgeAccess, WitnessAccess
from shopsphere.foundation.paths import REPOSITORY

sys.path.append(str(REPOSITORY / "bench" / "production"))
from filled_in import OWNERS, laid_over, pushed_images, with_content
from followed import not_as_said, printed_for
from kernel import inotify_instances
from page_blocks import Block, read_page, the_page
from page_table import Act, Table, TableError, problems, read_table, replaced
from systemd_hosts import Said

PAGE = """# How

## 4. First

Say this
and that.

```sh
do it --at old
```

```
not typed
```

# Later

```sh
do more
```
"""
TABLE = Table(
    {"here": "192.0.2.1"}, {}, {}, (Act("4", ("here",), block="do it"), Act("Later", block="more", skip="no"))
)


@pytest.mark.requirement("the page that an owner follows is followed by a program, block by block")
def test_every_block_of_the_page_is_followed_once() -> None:
    assert problems(read_table(), the_page()) == []


def test_page_is_read_by_its_headings() -> None:
    page = read_page(PAGE)
    assert page.blocks == (Block("4", "do it --at old\n"), Block("Later", "do more\n"))
    assert "Say this and that." in page.words["4"]
    assert "not typed" not in page.words["4"]


@pytest.mark.parametrize(
    ("act", "problem"),
    [
        (Act("4", ("here",), block="do it", names={"--at old": "--at new"}), ""),
        (Act("4", ("here",), block="do it", names={"--at other": "--at new"}), "'--at other' does not occur there"),
        (Act("4", ("there",), block="do it"), "no host there"),
        (Act("5", ("here",), block="do it"), "step 5 of the page has 0 blocks"),
        (Act("4", ("here",), block="do it", instead="do less"), "has its reason"),
        (Act("4", ("here",), says="Say this and that", do="x"), "'do it --at old' is followed 0 times"),
        (Act("4", ("here",), says="Say that", do="x"), "the page does not say this"),
        (Act("4", ("here",), says="Say this"), "does nothing"),
    ],
)
def test_table_that_is_not_the_pages_is_found(act: Act, problem: str) -> None:
    found = problems(replace(TABLE, acts=(act, *TABLE.acts[1:])), read_page(PAGE))
    if problem:
        assert any(problem in each for each in found), found
    else:
        assert found == []


def test_names_are_replaced_all_at_once() -> None:
    assert replaced("a ab b", {"a": "b", "ab": "c", "b": "a"}) == "b c a"
    assert replaced("as it is", {}) == "as it is"


def test_unknown_word_of_an_act_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "page.yaml"
    file.write_text("{hosts: {}, names: {}, printed: {}, acts: [{step: '1', done: x}]}")
    with pytest.raises(TableError, match="nothing means done"):
        read_table(file)


def test_owners_words_are_laid_over_a_file() -> None:
    below = {"a": 1, "b": {"c": 2, "d": [3]}, "e": 4}
    assert laid_over(below, {"b": {"c": 5}, "e": None, "f": {"g": 6}}) == {
        "a": 1,
        "b": {"c": 5, "d": [3]},
        "f": {"g": 6},
    }
    assert OWNERS.exists()


def test_owner_writes_what_the_run_has_made(tmp_path: Path) -> None:
    digest = f"sha256:{'5' * 64}"
    (tmp_path / "ca.crt").write_text("an authority\n")
    (tmp_path / "pushed.txt").write_text(
        f"    ok 7 s  push shop\n  shopsphere:images:\n    shop: r.example/shop:1@{digest}\n"
        f"  # of no stack:\n  # cnpg-operator: r.example/cnpg-operator:1@{digest}\n"
    )
    assert pushed_images((tmp_path / "pushed.txt").read_text()) == {"shop": f"r.example/shop:1@{digest}"}
    written = {"a": {"b": "content of ca.crt"}, "c": "lines of step 9", "d": ["as it is"]}
    assert with_content(written, tmp_path) == {
        "a": {"b": "an authority"},
        "c": {"shop": f"r.example/shop:1@{digest}"},
        "d": ["as it is"],
    }


@pytest.mark.parametrize(
    ("act", "code", "wrong"),
    [
        (Act("1"), 0, ""),
        (Act("1"), 1, "ended with 1"),
        (Act("1", refused=True), 1, ""),
        (Act("1", refused=True), 0, "ended with 0"),
        (Act("1", ends=4), 4, ""),
        (Act("1", ends=4), 1, "ended with 1"),
        (Act("1", ends=4), 0, "ended with 0"),
        (Act("1", expect="well"), 0, "did not print 'well'"),
    ],
)
def test_act_that_ends_otherwise_than_the_page_says_is_a_failure(act: Act, code: int, wrong: str) -> None:
    assert not_as_said(act, Said(code, "done", 0.1)) == ([wrong] if wrong else [])


def test_instances_of_inotify_are_counted(tmp_path: Path) -> None:
    for process, leads in (("7", ("anon_inode:inotify", "anon_inode:inotify", "/dev/null")), ("8", ()), ("self", ())):
        folder = tmp_path / process / "fd"
        folder.mkdir(parents=True)
        for number, each in enumerate(leads):
            (folder / str(number)).symlink_to(each)
    found = inotify_instances(tmp_path, user=tmp_path.stat().st_uid)
    assert (found, inotify_instances(tmp_path, user=tmp_path.stat().st_uid + 1)) == (2, 0)


@pytest.mark.requirement("every step that an owner is told to do at a host is done when the page is followed")
def test_every_printed_step_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(hosts, "witness_access", lambda _environment: WitnessAccess())
    words = ["--into", str(tmp_path), "--operators", "198.51.100.128/28", "--firewall"]
    for target in ("frankfurt", "newyork", "operations", "archive-eu"):
        assert cli.run(["install-files", target, *words]) == 0
    edge = {
        "dnsAuthorities": [{"name": "ns1", "url": "https://203.0.113.53:8081"}],
        "edgeKeys": "/keys",
        "nameservers": [{"name": "ns1", "address": "203.0.113.53"}],
    }
    monkeypatch.setattr(hosts, "edge_access", lambda _environment: EdgeAccess.model_validate(edge))
    monkeypatch.setattr(hosts, "read_access", lambda _model, _stack: CdnAccess())
    monkeypatch.setattr(hosts, "configuration", lambda _stack: {})
    assert cli.run(["install-files", "edge", *words]) == 0
    printed = printed_for(capsys.readouterr().err)
    assert sorted(printed) == ["archive-eu", "edge-ns1", "frankfurt", "newyork", "operations"]
    known = read_table().printed
    steps = [each for lines in printed.values() for each in lines]
    assert len(steps) > 30
    assert [each for each in steps if not any(each.startswith(words) for words in known)] == []
    # What is run is a command, or words, a colon and a command.
    run = [each for each in steps if any(each.startswith(word) and known[word] == "run" for word in known)]
    commands = {each if each.startswith("systemd") else each.rpartition(": ")[2] for each in run}
    assert {each.split()[0] for each in commands} <= {
        "systemd-sysusers;",
        "systemctl",
        "/usr/sbin/nft",
        "/opt/shopsphere/.venv/bin/shopsphere",
    }
