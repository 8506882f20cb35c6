"""The edge is not removed while the parent zone vouches for its keys, unless that is said."""

from ipaddress import IPv4Address

import pytest

from cli import main as cli
from shopsphere.clients.dns import NameServerError
from shopsphere.deploy.vouched import VouchedError, require_unvouched
from shopsphere.estate.access import AccessError
from shopsphere.estate.stack import Environment
from shopsphere.names.zone_proof import Vouched
from shopsphere.topology import load_topology

TOPOLOGY = load_topology()
DS = "6499 13 2 13b96f9f37a1e9c044180fb926a4e69e488c84f55bdf41d03638d358fdfd3181"
SERVERS = ("10.0.0.1", "10.0.0.2")


def ask(target: str, shown: dict[str, str | None], *, exists: bool = True) -> None:
    def asked(server: IPv4Address, zone: str) -> Vouched:
        assert zone == "shopsphere.test."
        found = shown[str(server)]
        if found is None:
            raise NameServerError(f"{server}: no answer")
        return Vouched(frozenset(filter(None, [found])), 60)

    named = tuple(map(IPv4Address, shown))
    require_unvouched(TOPOLOGY, target, Environment.LAB, lambda _: named, asked, lambda _: exists)


@pytest.mark.requirement("the edge is not removed while a server of the parent zone shows a DS, or is silent")
@pytest.mark.parametrize("target", ["edge", "all"])
def test_refused(target: str) -> None:
    with pytest.raises(VouchedError, match=rf"(?s)vouches at 10\.0\.0\.2 for keys of.*{DS}.*--leave-ds"):
        ask(target, dict(zip(SERVERS, ("", DS), strict=True)))
    with pytest.raises(VouchedError, match=r"(?s)is not known.*10\.0\.0\.2: no answer.*--leave-ds"):
        ask(target, dict(zip(SERVERS, ("", None), strict=True)))


def test_not_refused() -> None:
    ask("edge", dict.fromkeys(SERVERS, ""))
    ask("edge", {})
    ask("edge", dict.fromkeys(SERVERS, DS), exists=False)
    ask("rdc-a", dict.fromkeys(SERVERS, DS))


@pytest.mark.requirement("what cannot be read of the parent's servers is no answer that there is no DS")
def test_a_configuration_that_cannot_be_read() -> None:
    def wrong(_: Environment) -> tuple[IPv4Address, ...]:
        raise AccessError("a.gtld-servers.net is no address")

    with pytest.raises(VouchedError, match=r"(?s)it is not known who says.*a\.gtld-servers\.net.*parentServers"):
        require_unvouched(TOPOLOGY, "edge", Environment.LAB, wrong, exists=lambda _: True)


@pytest.mark.requirement("the command asks the parent zone, unless it is told to leave the DS")
def test_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(*_words: object) -> None:
        raise VouchedError("a DS is shown")

    def planned(*_words: object) -> None:
        raise VouchedError("the checks are over")

    monkeypatch.setattr("shopsphere.deploy.removal.require_removable", lambda *_words: None)
    monkeypatch.setattr("shopsphere.deploy.vouched.require_unvouched", refuse)
    monkeypatch.setattr("shopsphere.deploy.waves.removal_plan", planned)
    assert cli.run(["destroy", "edge", "--i-mean", "edge"]) == 1
    assert "a DS is shown" in capsys.readouterr().err
    assert cli.run(["destroy", "edge", "--i-mean", "edge", "--leave-ds"]) == 1
    assert "the checks are over" in capsys.readouterr().err
