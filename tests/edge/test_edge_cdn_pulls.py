"""What the CDN fetches with: it knows origins by their certificates, shows its own, and renews it beside the cache."""

import json
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from edge_cdn import HOST, Fetch, healthy, loaded, varnish
from edge_host import LOOPBACK, EdgeHost
from edge_origin import Origin, shown_by
from present import present

from components.edge.providers.cdn_distribution import CdnDistributionProvider
from lab.edge.cdn.pulls_state import CERTIFICATE
from lab.edge.components import prepare
from lab.edge.pulls import PULLS
from shopsphere.clients.cdn_agent import Cdn
from shopsphere.clients.edge_errors import ServiceError
from shopsphere.clients.edge_identity import KEYS_FOLDER
from shopsphere.edge_door.keys import puller_files
from shopsphere.foundation.certificates import KeyPair, issue, new_authority, serial_in
from shopsphere.topology import Topology

Shown = Callable[[KeyPair, str], ssl.SSLContext]
"""By whom a certificate is issued, and for which name."""


@pytest.fixture
def shown(edge: EdgeHost) -> Shown:
    """Return what an origin shows that is not the gateway's."""

    def context(authority: KeyPair, name: str) -> ssl.SSLContext:
        folder = edge.settings.disk / "other" / name
        pair = issue(authority, KeyPair(folder / "tls.crt", folder / "tls.key"), common_name=name, alternatives=(name,))
        return shown_by(pair, edge.settings.edge_keys / "ca.crt")

    return context


@pytest.fixture
def as_before(edge: EdgeHost, frankfurt: Origin, dublin: Origin) -> Iterator[None]:
    """Origins show what they showed, and are well."""
    contexts = frankfurt.context, dublin.context
    yield
    for origin, context in zip((frankfurt, dublin), contexts, strict=True):
        origin.stop()
        origin.context = context
        origin.start()
    healthy(edge, 2)


def show(origin: Origin, context: ssl.SSLContext) -> None:
    origin.stop()
    origin.context = context
    origin.start()


def restart_pulls(edge: EdgeHost) -> None:
    edge.restart(PULLS, LOOPBACK, edge.settings.first_pull_port)


@pytest.mark.requirement("the CDN shows its own certificate to the origins that it fetches from")
def test_an_origin_sees_the_cdns_certificate(edge: EdgeHost, fetch: Fetch, frankfurt: Origin) -> None:
    assert fetch("/static/seen.css").status_code == 200
    _, certificate, _ = puller_files(edge.settings.edge_keys)
    assert int(frankfurt.serials[-1], 16) == int(serial_in(certificate), 16)
    headers = {name.lower(): value for name, value in frankfurt.requests[-1][2].items()}
    assert headers["host"] == HOST
    assert not set(headers) & {"x-forwarded-for", "forwarded", "via"}


@pytest.mark.requirement("an origin that cannot prove its name by an authority that the CDN believes is none")
@pytest.mark.parametrize("of", ["another authority", "another name", "the CDN's own name"])
def test_who_cannot_prove_to_be_an_origin_is_sick(
    edge: EdgeHost, fetch: Fetch, frankfurt: Origin, topology: Topology, shown: Shown, as_before: None, of: str
) -> None:
    name = {"another name": "www.shopsphere.example", "the CDN's own name": HOST}.get(of, topology.shop_host)
    other = new_authority(edge.settings.disk / "other", "test")
    show(frankfurt, shown(other if of == "another authority" else edge.authority, name))
    before = len(frankfurt.requests)
    path = f"/static/forged-{len(of)}.css"
    assert fetch(path).text == f"dublin {path}", "before any probe has noticed"
    healthy(edge, 1)
    assert len(frankfurt.requests) == before


@pytest.mark.requirement("what is in the cache answers while no origin can prove its name, and nothing else does")
def test_nobody_can_prove_it(
    edge: EdgeHost, fetch: Fetch, frankfurt: Origin, dublin: Origin, topology: Topology, shown: Shown, as_before: None
) -> None:
    assert fetch("/static/kept-then.css").status_code == 200
    forged = shown(new_authority(edge.settings.disk / "other", "test"), topology.shop_host)
    show(frankfurt, forged)
    show(dublin, forged)
    answer = fetch("/static/forged-everywhere.css")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "No origin answered" in answer.text
    healthy(edge, 0)
    assert fetch("/static/kept-then.css").status_code == 200
    assert "/static/forged-everywhere.css" not in [path for _, path, _ in (*frankfurt.requests, *dublin.requests)]


@pytest.mark.requirement("the CDN's certificate is replaced without losing what is in the cache")
def test_another_certificate_is_taken_beside_the_cache(
    edge: EdgeHost, cdn: Cdn, fetch: Fetch, frankfurt: Origin, topology: Topology
) -> None:
    paths = [f"/static/kept-{number}.css" for number in range(5)]
    for path in paths:
        fetch(path)
    _, certificate, key = puller_files(edge.settings.edge_keys)
    former, running, cache = serial_in(certificate), edge.component(PULLS), edge.component("cdn-cache")
    certificate.unlink()
    key.unlink()
    prepare(edge.settings, topology)
    assert edge.component(PULLS) != running, "the lab restarts it"
    assert edge.component("cdn-cache") == cache, "and not the cache"
    told = {each["name"]: (each["declared"], each["live"]) for each in cdn.told_otherwise()}
    assert told == {CERTIFICATE: (f"serial {serial_in(certificate)}", f"serial {former}")}
    restart_pulls(edge)
    healthy(edge, 2)
    assert cdn.told_otherwise() == []
    assert [fetch(path).headers["x-cache"] for path in paths] == ["HIT"] * len(paths)
    assert fetch("/static/with-the-new-one.css").status_code == 200
    assert int(frankfurt.serials[-1], 16) == int(serial_in(certificate), 16) != int(former, 16)


@pytest.mark.requirement("a CDN that cannot fetch is found by drift, and answers from what it has")
def test_what_fetches_is_gone(edge: EdgeHost, cdn: Cdn, fetch: Fetch) -> None:
    assert fetch("/static/kept-without.css").status_code == 200
    edge.kill(PULLS)
    try:
        (found,) = cdn.told_otherwise()
        assert found["name"] == CERTIFICATE
        assert found["live"].startswith("nothing is fetched")
        assert fetch("/static/kept-without.css").status_code == 200
        healthy(edge, 0)
    finally:
        restart_pulls(edge)
        healthy(edge, 2)


@pytest.mark.requirement("the CDN takes no distribution whose origins prove nothing")
@pytest.mark.parametrize("name", [None, "www.shopsphere.example", HOST, 'x"'])
def test_a_distribution_without_proof_is_refused(cdn: Cdn, inputs: dict[str, Any], name: str | None) -> None:
    document = {key: inputs[key] for key in inputs if key not in {"endpoint", KEYS_FOLDER}}
    with pytest.raises(ServiceError, match=r"422.*originName"):
        cdn.put("static", {**document, "originName": name})
    with pytest.raises(ServiceError, match=r"422.*origins"):
        cdn.put("static", {**document, "origins": [{**each, "port": 80} for each in document["origins"]]})
    without = {key: value for key, value in document.items() if key != "originName"}
    with pytest.raises(ServiceError, match=r"422.*originName"):
        cdn.put("static", without)
    assert cdn.get("static") == document


@pytest.mark.requirement("a CDN that an older version told goes on as it was told, until it is told to ask for proof")
def test_what_an_older_version_told_is_kept_and_replaced(
    edge: EdgeHost, cdn: Cdn, fetch: Fetch, inputs: dict[str, Any]
) -> None:
    assert fetch("/static/kept-over-the-change.css").status_code == 200
    kept = edge.settings.distributions / "static.json"
    old = json.loads(kept.read_text())
    del old["originName"]
    kept.write_text(json.dumps({**old, "origins": [{**each, "port": 80} for each in old["origins"]]}))
    edge.restart("cdn-agent", LOOPBACK, edge.settings.cdn_inner_port)
    assert present(cdn.get("static"))["originName"] is None
    (active,) = [name for state, name in loaded(edge) if state == "active"]
    assert '.host = "10.99.0.11";\n    .port = "80";' in varnish(edge, "vcl.show", active)
    assert cdn.told_otherwise() == []
    provider = CdnDistributionProvider()
    read = provider.read("static", {key: value for key, value in inputs.items() if key != "originName"})
    provider.update("static", present(read.outs), inputs)
    healthy(edge, 2)
    assert fetch("/static/kept-over-the-change.css").headers["x-cache"] == "HIT"
    assert fetch("/static/after-the-change.css").status_code == 200
