"""The whole edge project, deployed by the real Pulumi to the real services."""

import json
import os
from pathlib import Path
from typing import Protocol

import pytest
import yaml
from edge_host import EdgeHost
from present import present

from shopsphere.clients import cdn_agent, powerdns
from shopsphere.clients.edge_identity import DEPLOYER, EdgeIdentity
from shopsphere.clients.http import read_key
from shopsphere.clients.powerdns import RRset
from shopsphere.deploy.programs import find_program
from shopsphere.drift.edge import judge_edge
from shopsphere.drift.edge_declared import declared_edge
from shopsphere.drift.model import Kind
from shopsphere.estate.edge_config import EdgeConfig
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.foundation.process import Result, run
from shopsphere.names.pair_state import PairDeclaration, PairState
from shopsphere.names.state_record import read_records, write_record
from shopsphere.topology import Topology


class Pulumi(Protocol):
    """Run a pulumi verb on the stack."""

    def __call__(self, *words: str, check: bool = True) -> Result: ...


@pytest.fixture(scope="module")
def pulumi(edge: EdgeHost, config: EdgeConfig, tmp_path_factory: pytest.TempPathFactory) -> Pulumi:
    """Run a pulumi verb on a stack of this test's own; its configuration is outside the checkout."""
    base = tmp_path_factory.mktemp("pulumi")
    state, home, file = base / "state", base / "home", base / "stack.yaml"
    state.mkdir()
    home.mkdir()
    committed = yaml.safe_load((REPOSITORY / "lab.base.yaml").read_text())["config"]
    machine = {
        "shopsphere:edgeKeys": config.edge_keys,
    }
    file.write_text(yaml.safe_dump({"config": {**committed, **machine}}))
    environment = {
        "PATH": f"{find_program('pulumi').parent}{os.pathsep}{os.environ['PATH']}",
        "PULUMI_HOME": str(home),
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PYTHONPATH": str(REPOSITORY),
    }

    def command(*words: str, check: bool = True) -> Result:
        options: list[str | Path] = ["--stack", f"edge-ring-{os.getpid()}", "--non-interactive"]
        if words[0] in {"up", "preview", "refresh", "destroy"}:
            options += ["--config-file", file]
        program = find_program("pulumi")
        return run([program, *words, *options], check=check, seconds=600, env=environment, cwd=REPOSITORY)

    run(
        [find_program("pulumi"), "stack", "init", f"edge-ring-{os.getpid()}", "--non-interactive"],
        env=environment,
        cwd=REPOSITORY,
    )
    written = REPOSITORY / f"Pulumi.edge-ring-{os.getpid()}.yaml"
    file.write_text(written.read_text() + file.read_text())
    written.unlink()
    command("up", "--yes", "--skip-preview")
    return command


@pytest.mark.requirement("a second preview and a refresh of what was deployed show no change")
def test_nothing_to_do_after_up(pulumi: Pulumi) -> None:
    pulumi("preview", "--expect-no-changes")
    pulumi("refresh", "--preview-only", "--expect-no-changes")


@pytest.mark.requirement("no key is readable in state")
def test_state_has_no_key(pulumi: Pulumi, edge: EdgeHost) -> None:
    exported = pulumi("stack", "export", "--show-secrets").stdout
    assert "PRIVATE KEY" not in exported
    for file in (edge.settings.dns_api_key_file, edge.settings.cdn_token_file):
        assert read_key(str(file)) not in exported


@pytest.mark.requirement("refresh sees what was changed or removed by hand, at either authority, and up repairs it")
def test_changed_by_hand_is_seen_and_repaired(pulumi: Pulumi, authorities: list[powerdns.DnsAuthority]) -> None:
    first, second = authorities
    zone, www = "shopsphere.test.", ("www.shopsphere.test.", "LUA")
    before = first.rrset(zone, *www)
    first.replace(zone, [RRset("dublin.shopsphere.test.", "A", 60, ("10.99.0.98",))])
    second.replace(zone, [RRset("chicago.shopsphere.test.", "A", 60, ("10.99.0.99",))])
    for authority in authorities:
        authority.remove(zone, *www)
    seen = pulumi("refresh", "--preview-only", "--expect-no-changes", "--diff", check=False)
    assert seen.code != 0
    assert all(text in seen.stdout for text in ("10.99.0.98", "10.99.0.99", "www.shopsphere.test."))
    pulumi("up", "--refresh", "--yes", "--skip-preview")
    for authority in authorities:
        assert present(authority.rrset(zone, "dublin.shopsphere.test.", "A")).records == ("10.99.0.12",)
        assert present(authority.rrset(zone, "chicago.shopsphere.test.", "A")).records == ("10.99.0.22",)
        assert authority.rrset(zone, *www) == before


@pytest.mark.requirement("what somebody adds is drift, which Pulumi's own refresh does not see")
def test_drift_finds_what_refresh_does_not(
    pulumi: Pulumi, config: EdgeConfig, authorities: list[powerdns.DnsAuthority]
) -> None:
    edge = declared_edge(json.loads(pulumi("stack", "export", "--show-secrets").stdout))
    settled = judge_edge(edge, "up")
    assert (settled.drifts, settled.unseen) == ((), ())
    assert settled.live == 2 * (settled.declared - 1) + 1
    zone, sub = "shopsphere.test.", "pay.shopsphere.test."
    cdn = cdn_agent.connect_to(config.cdn_url, EdgeIdentity.of(config.edge_keys, DEPLOYER))
    foreign = {**present(cdn.get("static")), "name": "foreign", "hostNames": ["pay.shopsphere.test"]}
    authorities[0].replace(zone, [RRset("evil.shopsphere.test.", "A", 60, ("192.0.2.1",))])
    authorities[1].create_zone(sub, [RRset(sub, "A", 60, ("192.0.2.1",))])
    cdn.put("foreign", foreign)
    try:
        pulumi("refresh", "--preview-only", "--expect-no-changes")
        found = judge_edge(edge, "up").drifts
        assert {(each.object, each.kind, each.residency) for each in found} == {
            ("evil.shopsphere.test. A at ns1", Kind.UNDECLARED, True),
            ("zone pay.shopsphere.test. at ns2", Kind.UNDECLARED, True),
            ("distribution foreign", Kind.UNDECLARED, True),
        }
        for each in found:
            run(["bash", "-c", each.repair])
        assert judge_edge(edge, "up").drifts == ()
    finally:
        authorities[0].remove(zone, "evil.shopsphere.test.", "A")
        authorities[1].delete_zone(sub)
        cdn.delete("foreign")


@pytest.mark.requirement("a failover is no change to Pulumi, and a stale up leaves the role where it is")
def test_failover_is_no_change(pulumi: Pulumi, authorities: list[powerdns.DnsAuthority], topology: Topology) -> None:
    pair = topology.pair("rdc-a")
    rdc_a = PairDeclaration(
        zone="shopsphere.test.",
        pair=pair.name,
        primary=pair.primary,
        recovery=pair.recovery,
        addresses={site: str(topology.site(site).address) for site in pair.sites},
        active_weight=pair.weights.active,
        passive_weight=pair.weights.passive,
        ttl=pair.dns_ttl_seconds,
    )
    write_record(authorities, rdc_a, PairState(2, "dublin"))
    pulumi("refresh", "--preview-only", "--expect-no-changes")
    pulumi("up", "--refresh", "--yes", "--skip-preview", "--expect-no-changes")
    states = {rdc_a.valid(found) for found in read_records(authorities, rdc_a).values()}
    assert states == {PairState(2, "dublin")}


@pytest.mark.requirement("names are removed by hand only after their protection was taken away, and then whole")
def test_destroy(pulumi: Pulumi, authorities: list[powerdns.DnsAuthority]) -> None:
    refused = pulumi("destroy", "--yes", "--skip-preview", check=False)
    assert refused.code != 0
    assert "protected" in refused.stdout + refused.stderr
    for authority in authorities:
        assert ("rdc-a.shopsphere.test.", "LUA") in (authority.names("shopsphere.test.") or ())
        assert ("state.rdc-a.shopsphere.test.", "LUA") in (authority.names("shopsphere.test.") or ())
    pulumi("state", "unprotect", "--all", "--yes")
    pulumi("destroy", "--yes", "--skip-preview")
    assert [each.names("shopsphere.test.") for each in authorities] == [None, None]
