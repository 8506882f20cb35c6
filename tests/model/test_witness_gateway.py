"""The gateway to a witness's voters: tokens, keys, and what keeps it from an answer."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from manual_clock import ManualClock

from shopsphere.foundation.errors import NoAnswerError
from shopsphere.foundation.files import write_whole
from shopsphere.witness import WitnessUnreachableError
from shopsphere.witness.gateway import Gateway, WitnessRefusedError
from shopsphere.witness.identity import Identity, WitnessKeysError
from shopsphere.witness.keys import make_keys
from shopsphere.witness.store import Store
from shopsphere.witness.users import WATCHER

URLS = ["https://10.97.0.1:2379", "https://10.97.0.2:2379", "https://10.97.0.3:2379"]


class FakeVoters(httpx.BaseTransport):
    """Voters that answer as etcd 3.6.13 does, as far as tokens go.

    Attributes:
        valid: token that is accepted.
        asked: path and token of each request.
        problems: what is raised instead of an answer, by address.
        tokenless: addresses of those that give something else than a token.
        given: password that each request for a token had.
    """

    def __init__(self) -> None:
        self.valid = "token 1"
        self.asked: list[tuple[str, str]] = []
        self.problems: dict[str, Callable[[httpx.Request], Exception]] = {}
        self.tokenless: set[str] = set()
        self.given: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path, token = request.url.path, request.headers.get("Authorization", "")
        self.asked.append((path, token))
        if problem := self.problems.get(request.url.host):
            raise problem(request)
        if path == "/v3/auth/authenticate":
            self.given.append(json.loads(request.content)["password"])
            return httpx.Response(200, json={} if request.url.host in self.tokenless else {"token": self.valid})
        if token != self.valid:
            refused = {"code": 16, "message": "etcdserver: invalid auth token"}
            streams = path == "/v3/lease/keepalive"
            return httpx.Response(401, json={"error": refused} if streams else refused)
        if path == "/v3/lease/keepalive":
            return httpx.Response(200, json={"result": {"ID": str(json.loads(request.content)["ID"]), "TTL": "10"}})
        return httpx.Response(200, json={"header": {"revision": "9"}, "succeeded": True})


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    make_keys(tmp_path / "keys", "rdc-a", {}, (WATCHER,))
    return tmp_path / "keys"


@pytest.fixture
def voters() -> FakeVoters:
    return FakeVoters()


@pytest.fixture
def store(keys: Path, voters: FakeVoters) -> Iterator[Store]:
    store = Store(URLS, Identity(keys, WATCHER), transport=voters)
    yield store
    store.close()


@pytest.mark.requirement("a token that ended is replaced, and nobody notices: also where a lease is renewed")
@pytest.mark.parametrize("path", ["/v3/lease/keepalive", "/v3/kv/txn"])
def test_a_token_that_ended(store: Store, voters: FakeVoters, path: str) -> None:
    store.read("/a")
    voters.valid = "token 2"
    voters.asked.clear()
    store.call(path, {"ID": 7})
    assert voters.asked == [(path, "token 1"), ("/v3/auth/authenticate", ""), (path, "token 2")]


@pytest.mark.requirement("keys that are replaced cost no sign-in: the token goes on until a voter refuses it")
def test_a_token_outlives_its_session(store: Store, voters: FakeVoters, keys: Path) -> None:
    store.read("/a")
    for file in keys.iterdir():
        write_whole(file, "another\n" if file.name == "watcher.password" else file.read_text(), mode=0o600)
    voters.asked.clear()
    store.read("/a")
    assert voters.asked == [("/v3/kv/txn", "token 1")]
    voters.valid = "token 2"
    store.read("/a")
    assert voters.given[1:] == ["another"]


@pytest.mark.requirement("a password that is replaced by an empty file takes no lease away")
def test_a_password_is_of_its_session(store: Store, voters: FakeVoters, keys: Path) -> None:
    store.read("/a")
    (keys / "watcher.password").write_text("\n")
    voters.valid = "token 2"
    store.read("/a")
    assert voters.given == [voters.given[0]] * 2
    assert len(voters.given[0]) == 43, "256 bits"


@pytest.mark.requirement("a process starts without keys, says which are missing, and goes on once they are there")
def test_keys_come_later(tmp_path: Path, voters: FakeVoters) -> None:
    store = Store(URLS, Identity(tmp_path / "later", WATCHER), transport=voters)
    with pytest.raises(WitnessKeysError, match=r"ca\.crt: No such file"):
        store.read("/a")
    make_keys(tmp_path / "later", "rdc-a", {}, (WATCHER,))
    (tmp_path / "later" / "watcher.password").write_text("")
    with pytest.raises(WitnessKeysError, match=r"watcher\.password: empty"):
        store.read("/a")
    assert voters.asked == []
    (tmp_path / "later" / "watcher.password").write_text("secret\n")
    store.read("/a")
    assert voters.given == ["secret"]
    store.close()


@pytest.mark.requirement("files that were replaced are seen, also when their times are the same")
@pytest.mark.parametrize("how", ["another file", "another size"])
def test_a_stamp(keys: Path, how: str) -> None:
    identity, file = Identity(keys, WATCHER), keys / "watcher.password"
    before, times = identity.stamp(), file.stat()
    if how == "another file":
        write_whole(file, file.read_text())
    else:
        file.write_text("longer than it was, with 256 bits and some more\n")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert file.stat().st_mtime_ns == times.st_mtime_ns
    assert identity.stamp() != before


@pytest.mark.requirement("a voter that gives no token is not believed, and the next one is asked")
def test_an_answer_without_a_token(store: Store, voters: FakeVoters) -> None:
    voters.tokenless = {"10.97.0.1"}
    assert store.read("/a") == {}
    voters.tokenless = {"10.97.0.1", "10.97.0.2", "10.97.0.3"}
    store.gateway.forget_token()
    with pytest.raises(NoAnswerError, match="token cannot be read") as raised:
        store.read("/a")
    assert not isinstance(raised.value, WitnessUnreachableError), "somebody answers"


def refused(request: httpx.Request) -> Exception:
    error = httpx.ReadError("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED]", request=request)
    error.__cause__ = ssl.SSLError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED]")
    return error


def cut(request: httpx.Request) -> Exception:
    error = httpx.ReadError("EOF occurred in violation of protocol", request=request)
    error.__cause__ = ssl.SSLEOFError(8, "EOF occurred in violation of protocol")
    return error


def lost(request: httpx.Request) -> Exception:
    return httpx.ConnectTimeout("timed out", request=request)


@pytest.mark.requirement("voters that refuse this machine's certificate are not a witness without a quorum")
@pytest.mark.parametrize(
    ("problems", "expected"),
    [
        ((refused, refused, refused), WitnessRefusedError),
        ((lost, refused, refused), WitnessRefusedError),
        ((refused, lost, lost), WitnessUnreachableError),
        ((cut, cut, cut), WitnessUnreachableError),
        ((lost, lost, lost), WitnessUnreachableError),
    ],
)
def test_who_refuses_is_there(
    store: Store,
    voters: FakeVoters,
    problems: tuple[Callable[[httpx.Request], Exception], ...],
    expected: type[Exception],
) -> None:
    voters.problems = {f"10.97.0.{number}": each for number, each in enumerate(problems, 1)}
    with pytest.raises(expected) as raised:
        store.read("/a")
    assert type(raised.value).__mro__.index(expected) <= 1
    assert isinstance(raised.value, NoAnswerError)


@pytest.mark.requirement("a question to the witness takes no longer than all its voters may take together")
def test_a_question_has_an_end(keys: Path, voters: FakeVoters) -> None:
    clock, waits = ManualClock(), []

    def slow(request: httpx.Request) -> Exception:
        waits.append(request.extensions["timeout"]["read"])
        clock.sleep(waits[-1])
        return httpx.ReadTimeout("timed out", request=request)

    def half_slow(request: httpx.Request) -> httpx.Response:
        clock.sleep(1.0)
        if request.url.path == "/v3/auth/authenticate":
            return httpx.Response(200, json={"token": "token 1"})
        return httpx.Response(401, json={"code": 16, "message": "etcdserver: invalid auth token"})

    gateway = Gateway(URLS, Identity(keys, WATCHER), seconds=1.5, transport=voters, clock=clock)
    voters.problems = {"10.97.0.1": slow, "10.97.0.2": slow, "10.97.0.3": slow}
    began = clock.monotonic()
    with pytest.raises(WitnessUnreachableError):
        gateway.call("/v3/kv/txn", {})
    assert waits == [1.5, 1.5, 1.5]
    assert clock.monotonic() - began == 4.5
    gateway.close()
    gateway = Gateway(URLS, Identity(keys, WATCHER), transport=httpx.MockTransport(half_slow), clock=clock)
    began = clock.monotonic()
    with pytest.raises(WitnessUnreachableError):
        gateway.call("/v3/kv/txn", {})
    assert clock.monotonic() - began <= 5.0, "4.5 s, and what the last request takes beyond its bound"
    gateway.close()


@pytest.mark.requirement("an answer that trickles in, or has no end, is none")
@pytest.mark.parametrize(("part", "pause"), [(b" ", 0.1), (b" " * 2**20, 0.0)], ids=["slow", "large"])
def test_an_answer_without_an_end(part: bytes, pause: float) -> None:
    clock = ManualClock()
    parts: list[bytes] = []

    def drops() -> Iterator[bytes]:
        while len(parts) < 1000:
            parts.append(part)
            clock.sleep(pause)
            yield part

    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=drops()))
    gateway = Gateway(URLS[:1], transport=transport, clock=clock)
    with pytest.raises(WitnessUnreachableError, match="ReadTimeout"):
        gateway.call("/v3/kv/txn", {})
    assert len(parts) < 20, "1.5 s, and 4 MiB"
    gateway.close()
