"""What `install-files` lets systemd-tmpfiles do on a host: owners and modes of what an owner brings there."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

import pytest

from cli import main as cli
from runbooks.install import hosts
from shopsphere.estate.access import CdnAccess, EdgeAccess, WitnessAccess

TARGETS = ("frankfurt", "newyork", "operations", "archive-eu", "edge")


@pytest.fixture
def into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders of all kinds of hosts."""
    monkeypatch.setattr(hosts, "witness_access", lambda _environment: WitnessAccess())
    for target in TARGETS[:-1]:
        assert cli.run(["install-files", target, "--into", str(tmp_path)]) == 0
    edge = EdgeAccess.model_validate(
        {"dnsAuthorities": [{"name": "ns1", "url": "https://203.0.113.53:8081"}], "edgeKeys": "/keys"}
    )
    cdn = CdnAccess.model_validate({"cdnUrl": "https://203.0.113.55:8082", "edgeKeys": "/keys"})
    monkeypatch.setattr(hosts, "edge_access", lambda _environment: edge)
    monkeypatch.setattr(hosts, "read_access", lambda _model, _stack: cdn)
    monkeypatch.setattr(hosts, "configuration", lambda _stack: {})
    assert cli.run(["install-files", "edge", "--into", str(tmp_path)]) == 0
    return tmp_path


def entries(file: Path) -> list[tuple[str, str, str, str, str]]:
    """Return type, path, mode, user and group of each line."""
    lines = [line.split() for line in file.read_text().splitlines()]
    return [(line[0], line[1], line[2], line[3], line[4]) for line in lines]


@pytest.mark.requirement(
    "systemd-tmpfiles changes no file of root's in a folder of somebody else's: 'unsafe path transition'"
)
def test_what_is_brought_as_root_lies_in_folders_of_root(into: Path) -> None:
    files = list(into.rglob("tmpfiles.d/*.conf"))
    # frankfurt and newyork have voters and an agent; operations, archive and two hosts of the edge a file each.
    assert len(files) == 8
    unsafe = []
    for file in files:
        folders = {path: user for kind, path, _, user, _ in entries(file) if kind == "d"}
        for kind, path, *_ in entries(file):
            above = [str(each) for each in PurePosixPath(path).parents if folders.get(str(each), "root") != "root"]
            if kind == "z" and above:
                unsafe.append((file.name, path, above))
    assert unsafe == []


@pytest.mark.requirement("must-be-there.txt and systemd-tmpfiles give a file the same owner and mode")
def test_what_is_listed_is_what_is_set(into: Path) -> None:
    differing, seen = [], 0
    for host in into.iterdir():
        conf = [each for file in host.rglob("tmpfiles.d/*.conf") for each in entries(file)]
        for line in (host / "must-be-there.txt").read_text().splitlines()[1:]:
            mode, owner, path = line.split()[:3]
            seen += 1
            if (mode, *owner.split(":")) not in [tuple(each[2:]) for each in conf if each[1] == path]:
                differing.append((host.name, path))
    assert differing == []
    assert seen > 40


def test_group_of_the_operators_machine_reads_no_key_of_who_deploys(into: Path) -> None:
    conf = entries(into / "operations/root/etc/tmpfiles.d/shopsphere-operations.conf")
    patterns = [each for kind, path, *_ in conf if kind == "z" for each in unfolded(path)]
    at = "/etc/shopsphere"

    def given(path: str) -> bool:
        depth = path.count("/")
        return any(fnmatch(f"{at}/{path}", each) and each.count("/") == depth + at.count("/") + 1 for each in patterns)

    read = ("operate.kubeconfig", "edge-keys/watcher.key", "edge-keys/cdn.crt", "witness-keys/rdc-a/operator.password")
    assert [each for each in read if not given(each)] == []
    kept = (
        "up.kubeconfig",
        "edge-keys/deployer.key",
        "edge-keys/zone-keys",
        "edge-keys/ca.key",
        "edge-keys/cdn.key",
        "witness-keys/rdc-a/root.key",
        "witness-keys/rdc-a/ca.key",
        "archive-keys/archive-eu/owner.secret",
    )
    assert [each for each in kept if given(each)] == []


def unfolded(path: str) -> list[str]:
    """Return a path with each of the words in its braces."""
    before, brace, rest = path.partition("{")
    if not brace:
        return [path]
    words, _, after = rest.partition("}")
    return [each for word in words.split(",") for each in unfolded(f"{before}{word}{after}")]
