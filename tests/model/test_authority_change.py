"""A change of a certificate authority: both are believed in between, and each step can be repeated."""

from __future__ import annotations

import socket
import ssl
import threading
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography import x509
from typer.testing import CliRunner

from cli.main import app
from shopsphere.clients.edge_identity import WATCHER, EdgeIdentity
from shopsphere.edge_door.keys import make_edge_keys
from shopsphere.foundation import authority_change
from shopsphere.foundation.authority_change import AuthorityChangeError, Stage, Step, stage_of
from shopsphere.foundation.files import write_whole

NAMES = ["localhost"]


def speaks(client: Path, server: Path) -> bool:
    """Whether a client with these files and a door with those believe each other."""
    trust = EdgeIdentity(client, WATCHER).context()
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(server / "door.crt", server / "door.key")
    shown.load_verify_locations(server / "ca.crt")
    shown.verify_mode = ssl.CERT_REQUIRED
    here, there = socket.socketpair()
    answered: list[bytes] = []

    def serve() -> None:
        try:
            with shown.wrap_socket(there, server_side=True) as line:
                answered.append(line.recv(1))
        except OSError:
            there.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with trust.wrap_socket(here, server_hostname="localhost") as line:
            line.sendall(b"x")
    except OSError:
        here.close()
    thread.join(10)
    return answered == [b"x"]


def handed_out(folder: Path, to: Path) -> Path:
    """Return a copy of what a host has now."""
    to.mkdir()
    for each in folder.iterdir():
        (to / each.name).write_bytes(each.read_bytes())
    return to


@pytest.mark.requirement("an authority is renewed while everybody is believed by everybody, whoever has which files")
def test_both_are_believed_in_between(tmp_path: Path) -> None:
    own = tmp_path / "own"
    assert make_edge_keys(own, NAMES) is Stage.AT_REST
    at_first = handed_out(own, tmp_path / "at first")
    assert make_edge_keys(own, NAMES, Step.BEGIN) is Stage.BEGUN
    begun = handed_out(own, tmp_path / "begun")
    assert make_edge_keys(own, NAMES, Step.SIGN) is Stage.SIGNING
    signing = handed_out(own, tmp_path / "signing")
    assert make_edge_keys(own, NAMES, Step.END) is Stage.AT_REST
    ended = handed_out(own, tmp_path / "ended")
    stages = [at_first, begun, signing, ended]
    for before, after in pairwise(stages):
        assert speaks(before, after), (before, after)
        assert speaks(after, before), (before, after)
    assert not speaks(at_first, signing), "so the file has to be with everybody before it signs"
    assert not speaks(begun, ended)
    assert len(x509.load_pem_x509_certificates((ended / "ca.crt").read_bytes())) == 1
    assert not list(own.glob("*.next.*"))


@pytest.mark.requirement("a change of an authority that was broken off goes on where it was")
@pytest.mark.parametrize("at", range(3))
@pytest.mark.parametrize("step", [Step.BEGIN, Step.SIGN])
def test_a_step_that_was_broken_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: Step, at: int) -> None:
    make_edge_keys(tmp_path, NAMES)
    if step is Step.SIGN:
        make_edge_keys(tmp_path, NAMES, Step.BEGIN)
    written: list[Path] = []

    def breaks_off(file: Path, text: str, *, mode: int = 0o644) -> None:
        if len(written) == at:
            raise KeyboardInterrupt
        written.append(file)
        write_whole(file, text, mode=mode)

    with monkeypatch.context() as patched:
        patched.setattr(authority_change, "write_whole", breaks_off)
        try:
            make_edge_keys(tmp_path, NAMES, step)
        except KeyboardInterrupt:
            assert at < 2
    make_edge_keys(tmp_path, NAMES, step)
    if step is Step.BEGIN:
        make_edge_keys(tmp_path, NAMES, Step.SIGN)
    assert make_edge_keys(tmp_path, NAMES, Step.END) is Stage.AT_REST
    assert speaks(tmp_path, tmp_path)


def test_steps_come_one_after_the_other(tmp_path: Path) -> None:
    make_edge_keys(tmp_path, NAMES)
    for step in (Step.SIGN, Step.END):
        with pytest.raises(AuthorityChangeError, match="does not come next"):
            make_edge_keys(tmp_path, NAMES, step)
    for _ in range(2):
        assert make_edge_keys(tmp_path, NAMES, Step.BEGIN) is Stage.BEGUN
    with pytest.raises(AuthorityChangeError):
        make_edge_keys(tmp_path, NAMES, Step.END)
    for _ in range(2):
        assert make_edge_keys(tmp_path, NAMES, Step.SIGN) is Stage.SIGNING
    with pytest.raises(AuthorityChangeError):
        make_edge_keys(tmp_path, NAMES, Step.BEGIN)


@pytest.mark.requirement("a certificate of the former authority keeps it until it is replaced")
def test_a_certificate_that_was_left(tmp_path: Path) -> None:
    make_edge_keys(tmp_path, NAMES)
    left = (tmp_path / "watcher.crt").read_bytes()
    for step in (Step.BEGIN, Step.SIGN):
        make_edge_keys(tmp_path, NAMES, step)
    (tmp_path / "guest.crt").write_bytes(left)
    with pytest.raises(AuthorityChangeError, match=r"guest\.crt is still of the former"):
        make_edge_keys(tmp_path, NAMES, Step.END)
    assert stage_of(tmp_path) is Stage.SIGNING


@pytest.mark.requirement("`witness keys` renews both authorities of a witness, step by step, and says what comes next")
def test_authorities_of_a_witness(tmp_path: Path) -> None:
    def keys(*words: str) -> str:
        done = CliRunner().invoke(app, ["witness", "keys", "rdc-a", str(tmp_path), *words])
        assert done.exit_code == 0, done.output
        return done.output

    def signers(file: str) -> int:
        return len(x509.load_pem_x509_certificates((tmp_path / "rdc-a" / file).read_bytes()))

    keys()
    before = (tmp_path / "rdc-a" / "operator.password").read_text()
    for words, each in ((["begin"], 2), (["sign"], 2), (["end"], 1)):
        keys("--authority", *words)
        assert (signers("ca.crt"), signers("peers-ca.crt")) == (each, each)
    own = tmp_path / "rdc-a"
    authority = x509.load_pem_x509_certificate((own / "ca.crt").read_bytes())
    for user in ("operator", "watcher", "agent-dublin", "voter-newyork"):
        x509.load_pem_x509_certificate((own / f"{user}.crt").read_bytes()).verify_directly_issued_by(authority)
    assert "from 20" in authority.subject.rfc4514_string()
    assert (own / "operator.password").read_text() == before
    assert CliRunner().invoke(app, ["witness", "keys", "rdc-a", str(tmp_path), "--authority", "end"]).exit_code != 0
