"""The edge ring: the real name servers, resolver and cache, in a network that only the test process sees."""

import os
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from edge_cdn import HOST, Fetch, healthy
from edge_gateway import ADDRESS, AGENT_PORT, NEIGHBOUR, Shop, answer_of, write_configuration
from edge_host import EdgeHost
from edge_network import own_network
from edge_origin import Origin, shown_by
from edge_two_hosts import Two, two_hosts
from witness_voters import Voters, running_voters

from components.edge.cdn_origin import CdnOriginModel
from components.edge.global_dns import GlobalDnsModel
from components.edge.providers.cdn_distribution import CdnDistributionProvider
from components.edge.providers.powerdns_pair_state import PowerDnsPairStateProvider
from components.edge.providers.powerdns_rrset import PowerDnsRRsetProvider
from components.edge.providers.powerdns_zone import PowerDnsZoneProvider
from components.edge.providers.powerdns_zone_keys import PowerDnsZoneKeysProvider
from components.gateway_configuration import HEALTH_PORT
from lab.edge.packages import PACKAGES
from lab.edge.settings import EdgeSettings
from lab.packages import ensure_packages
from shopsphere.clients import cdn_agent, powerdns
from shopsphere.clients.cdn_agent import Cdn
from shopsphere.clients.edge_identity import DEPLOYER
from shopsphere.estate.edge_config import EdgeConfig
from shopsphere.foundation.certificates import KeyPair, issue, new_authority
from shopsphere.foundation.clock import wait_until
from shopsphere.names.pair_state import PairDeclaration
from shopsphere.topology import Topology, load_topology
from shopsphere.witness import PairRecord

CLIENTS = {"eu": "10.99.64.10", "us": "10.99.80.10", "apac": "10.99.96.10", "nowhere": "10.99.0.1"}
ORIGINS = ("10.99.0.11", "10.99.0.12")


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    """Two hosts with a line between them, one of them behind its firewall."""
    with two_hosts(tmp_path) as found:
        yield found


@pytest.fixture(scope="session")
def topology() -> Topology:
    return load_topology()


@pytest.fixture(scope="module")
def edge(topology: Topology) -> Iterator[EdgeHost]:
    """All programs of the host; the module's tests run in its network."""
    if os.geteuid() != 0:
        pytest.fail("the edge ring needs root: expected uid 0, found another; run `make test` as root")
    ensure_packages(PACKAGES)
    # A short path, because the name of a Unix socket has at most 107 bytes.
    base = Path(tempfile.mkdtemp(prefix="ss-edge-", dir="/tmp"))
    base.chmod(0o711)  # the program that ends TLS is another user, and reaches its socket below
    authority = new_authority(base / "ca", "test")
    static = topology.static_host
    pair = issue(authority, KeyPair(base / "tls.crt", base / "tls.key"), common_name=static, alternatives=(static,))
    settings = EdgeSettings(
        disk=base / "disk",
        run=base / "run",
        certificate=pair.certificate,
        key=pair.key,
        edge_keys=base / "keys",
        origin_authority=authority.certificate,
    )
    (base / "log").mkdir()
    own = [settings.resolver, settings.cdn, *settings.authorities.values()]
    with own_network([*own, *CLIENTS.values(), *ORIGINS]):
        host = EdgeHost(settings, base / "log", authority)
        try:
            host.start_all(topology)
            yield host
        finally:
            host.stop_all()
            shutil.rmtree(base)


@pytest.fixture(scope="module")
def config(edge: EdgeHost) -> EdgeConfig:
    """The stack's configuration for this host."""
    return EdgeConfig.model_validate(
        {
            "dnsAuthorities": [{"name": name, "url": edge.dns_api(name)} for name in edge.settings.authorities],
            "edgeKeys": str(edge.settings.edge_keys),
            "nameservers": [{"name": n, "address": a} for n, a in edge.settings.authorities.items()],
            "certificateIssuers": ["ca.example"],
            "cdnUrl": edge.cdn_api,
            "cdnAddress": edge.settings.cdn,
            "origins": [{"site": "frankfurt"}, {"site": "dublin"}],
        }
    )


@pytest.fixture(scope="module")
def zone(edge: EdgeHost, config: EdgeConfig, topology: Topology) -> GlobalDnsModel:
    """The whole zone as the stack declares it, written by the same providers."""
    model = GlobalDnsModel.of(topology, config)
    PowerDnsZoneProvider().create(model.zone_inputs())
    PowerDnsZoneKeysProvider().create(model.key_inputs())
    for pair in topology.pairs.values():
        PowerDnsPairStateProvider().create(model.state_inputs(model.pairs[pair.name]))
    for inputs in (*model.fixed_names().values(), *model.steered_names().values(), model.issuers()):
        PowerDnsRRsetProvider().create(inputs or {})
    return model


@pytest.fixture(scope="module")
def authorities(edge: EdgeHost) -> list[powerdns.DnsAuthority]:
    servers = [(name, edge.dns_api(name)) for name in edge.settings.authorities]
    return powerdns.connect_to(servers, edge.identity(DEPLOYER))


@pytest.fixture
def declaration(zone: GlobalDnsModel, topology: Topology) -> Callable[[str], PairDeclaration]:
    """The pair's facts by its name."""
    return lambda pair: PairDeclaration.of(zone.state_inputs(zone.pairs[pair]))


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """haproxy.cfg of Frankfurt, beside its pages."""
    ensure_packages(["haproxy"])
    return write_configuration(tmp_path_factory.mktemp("gateway"))


@pytest.fixture(scope="module")
def network() -> Iterator[None]:
    with own_network([ADDRESS, NEIGHBOUR]):
        yield


@pytest.fixture
def shop(network: None) -> Iterator[Shop]:
    """A shop that runs before its gateway starts: name it first."""
    shop = Shop()
    yield shop
    shop.stop()


@pytest.fixture
def agent(network: None) -> Iterator[Shop]:
    """In place of the site's agent; open."""
    agent = Shop(AGENT_PORT)
    yield agent
    agent.stop()


@pytest.fixture
def gateway(network: None, configuration: Path, agent: Shop) -> Iterator[subprocess.Popen[bytes]]:
    """HAProxy's process, listening."""
    process = subprocess.Popen(["/usr/sbin/haproxy", "-db", "-f", str(configuration)], start_new_session=True)
    try:
        wait_until(
            lambda: answer_of(HEALTH_PORT, "/livez").status == 200, what="HAProxy to listen", seconds=60, interval=0.1
        )
        yield process
    finally:
        process.kill()
        process.wait(10)


@pytest.fixture(scope="module")
def origins(edge: EdgeHost, topology: Topology) -> ssl.SSLContext:
    """What a gateway shows, and whom it answers."""
    domain, folder = topology.domain, edge.settings.disk / "gateway"
    pair = KeyPair(folder / "tls.crt", folder / "tls.key")
    issue(edge.authority, pair, common_name=domain, alternatives=(domain, f"*.{domain}"))  # as lab/pki.py does
    return shown_by(pair, edge.settings.edge_keys / "ca.crt")


@pytest.fixture(scope="module")
def frankfurt(edge: EdgeHost, origins: ssl.SSLContext) -> Iterator[Origin]:
    origin = Origin("frankfurt", "10.99.0.11", origins)
    origin.start()
    yield origin
    origin.stop()


@pytest.fixture(scope="module")
def dublin(edge: EdgeHost, origins: ssl.SSLContext) -> Iterator[Origin]:
    origin = Origin("dublin", "10.99.0.12", origins)
    origin.start()
    yield origin
    origin.stop()


@pytest.fixture(scope="module")
def inputs(config: EdgeConfig, topology: Topology) -> dict[str, Any]:
    return CdnOriginModel.of(topology, config).inputs()


@pytest.fixture(scope="module")
def distribution(edge: EdgeHost, frankfurt: Origin, dublin: Origin, inputs: dict[str, Any]) -> dict[str, Any]:
    CdnDistributionProvider().create(inputs)
    healthy(edge, 2)
    return inputs


@pytest.fixture(scope="module")
def fetch(edge: EdgeHost, distribution: dict[str, Any]) -> Iterator[Fetch]:
    trust = ssl.create_default_context(cafile=edge.ca)
    # A connection is kept for a shorter time than by the CDN, which would end one under a request.
    limits = httpx.Limits(keepalive_expiry=1.0)
    with httpx.Client(verify=trust, trust_env=False, timeout=60, limits=limits) as client:

        def request(path: str, method: str = "GET", host: str = HOST, **headers: str) -> httpx.Response:
            return client.request(
                method,
                f"https://{edge.settings.cdn}:{edge.settings.tls_port}{path}",
                headers={"Host": host, **headers},
                extensions={"sni_hostname": HOST},
            )

        yield request


@pytest.fixture
def cdn(edge: EdgeHost) -> Cdn:
    return cdn_agent.connect_to(edge.cdn_api, edge.identity(DEPLOYER))


@pytest.fixture(scope="module")
def voters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Voters]:
    """The three voters of a witness, with its keys, users and a record."""
    with running_voters(tmp_path_factory.mktemp("witness")) as voters:
        yield voters


@pytest.fixture
def before(voters: Voters) -> Iterator[PairRecord]:
    """The record, which is the same after a test."""
    with voters.same_record() as record:
        yield record
