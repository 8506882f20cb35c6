"""Writing a pair's state at an authority whose answers are lost."""

from __future__ import annotations

import ssl

import httpx
import pytest
from edge_declaration import RDC_A, ZONE
from edge_fakes import FakeAuthority
from present import present

from shopsphere.clients import http
from shopsphere.clients.edge_errors import ServiceError, UnknownOutcomeError, VerificationError
from shopsphere.clients.http import HttpService
from shopsphere.names import state_record
from shopsphere.names.pair_state import PairState
from shopsphere.names.state_record import write_record

NEW = PairState(2, "dublin")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeAuthority:
    monkeypatch.setattr(state_record, "_PAUSE_SECONDS", 0.001)
    found = FakeAuthority("ns1")
    found.create_zone(ZONE, [RDC_A.rrset(PairState(1, "frankfurt"))])
    found.writes = 0
    return found


def state_at(server: FakeAuthority) -> PairState:
    return present(RDC_A.valid(server.rrset(ZONE, RDC_A.name, "LUA")))


@pytest.mark.requirement(
    "a change of names whose answer was lost is looked at, and made once more where it was not made"
)
@pytest.mark.parametrize(("lost", "writes"), [([True], 1), ([False], 1), ([False, True], 1)])
def test_a_lost_answer_is_looked_into(server: FakeAuthority, lost: list[bool], writes: int) -> None:
    server.loses_answers = list(lost)
    write_record([server], RDC_A, NEW)
    assert (state_at(server), server.writes, server.loses_answers) == (NEW, writes, [])


@pytest.mark.requirement("a change whose outcome stays unknown says what stands there, and is not sent for ever")
def test_an_outcome_that_stays_unknown(server: FakeAuthority) -> None:
    server.loses_answers = [False] * 9
    with pytest.raises(UnknownOutcomeError, match=r"nobody knows whether DNS authority ns1[\s\S]*active='frankfurt'"):
        write_record([server], RDC_A, NEW)
    assert len(server.loses_answers) == 7, "sent twice"
    assert state_at(server) == PairState(1, "frankfurt")


def test_an_authority_that_is_silent_afterwards_is_not_asked_again(
    server: FakeAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, asked = server.rrset, []

    def rrset(*words: str) -> object:
        asked.append(words)
        if len(asked) > 1:
            raise ServiceError("does not answer")
        return usual(*words)

    monkeypatch.setattr(server, "rrset", rrset)
    server.loses_answers = [False, False]
    with pytest.raises(UnknownOutcomeError, match="found:    no answer"):
        write_record([server], RDC_A, NEW)
    assert (len(server.loses_answers), len(asked)) == (1, 3)


def test_a_refusal_is_no_unknown_outcome(server: FakeAuthority) -> None:
    server.fails_on.add("replace")
    with pytest.raises(ServiceError) as caught:
        write_record([server], RDC_A, NEW)
    assert not isinstance(caught.value, UnknownOutcomeError)
    server.fails_on.clear()
    server.loses = True
    with pytest.raises(VerificationError):
        write_record([server], RDC_A, NEW)


def failed_in_tls(reason: str) -> Exception:
    error, inner = httpx.ReadError(reason), ssl.SSLError(1, f"[SSL: {reason}] (_ssl.c:2580)")
    inner.reason, error.__cause__ = reason, inner
    return error


@pytest.mark.parametrize(
    ("method", "answer", "is_open"),
    [
        ("PATCH", httpx.Response(504), True),
        ("PATCH", httpx.ReadTimeout("late"), True),
        ("PATCH", httpx.RemoteProtocolError("cut"), True),
        ("PATCH", httpx.ConnectError("refused"), False),
        ("PATCH", httpx.ConnectTimeout("late"), False),
        ("PATCH", failed_in_tls("DECRYPTION_FAILED_OR_BAD_RECORD_MAC"), True),
        ("PATCH", failed_in_tls("TLSV1_ALERT_INTERNAL_ERROR"), True),
        ("PATCH", failed_in_tls("WRONG_VERSION_NUMBER"), True),
        ("PATCH", failed_in_tls("TLSV13_ALERT_CERTIFICATE_REQUIRED"), False),
        ("PATCH", failed_in_tls("SSLV3_ALERT_CERTIFICATE_EXPIRED"), False),
        ("PATCH", failed_in_tls("TLSV1_ALERT_UNKNOWN_CA"), False),
        ("PATCH", failed_in_tls("CERTIFICATE_VERIFY_FAILED"), False),
        ("GET", failed_in_tls("WRONG_VERSION_NUMBER"), False),
        ("PATCH", httpx.Response(403), False),
        ("PATCH", httpx.Response(503), False),
        ("GET", httpx.Response(504), False),
        ("GET", httpx.ReadTimeout("late"), False),
    ],
)
def test_which_failures_leave_a_change_open(
    monkeypatch: pytest.MonkeyPatch, method: str, answer: httpx.Response | Exception, is_open: bool
) -> None:
    def request(*_words: object, **_more: object) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(httpx, "request", request)
    monkeypatch.setattr(http, "_PAUSE_SECONDS", 0)
    with pytest.raises(ServiceError) as caught:
        HttpService("ns1", "https://10.0.0.1").request(method, "/zones")
    assert isinstance(caught.value, UnknownOutcomeError) is is_open


@pytest.mark.parametrize("trust", [None, ssl.create_default_context()])
def test_only_who_has_keys_is_told_to_renew_them(monkeypatch: pytest.MonkeyPatch, trust: ssl.SSLContext | None) -> None:
    def request(*_words: object, **_more: object) -> httpx.Response:
        raise failed_in_tls("CERTIFICATE_VERIFY_FAILED")

    monkeypatch.setattr(httpx, "request", request)
    with pytest.raises(ServiceError, match="do not believe each other") as caught:
        HttpService("GitHub", "https://10.0.0.1", trust=trust).request("GET", "/")
    assert ("edge-door keys" in str(caught.value)) is (trust is not None)
