"""What the CDN serves, keeps and refuses: the real cache behind the real TLS."""

import time
from typing import Any

import httpx
import pytest
from edge_cdn import Fetch, healthy, loaded
from edge_host import EdgeHost
from edge_origin import Origin
from present import present

from components.edge.providers.cdn_distribution import CdnDistributionProvider
from shopsphere.clients.cdn_agent import Cdn
from shopsphere.clients.edge_errors import AdoptionError, ServiceError
from shopsphere.clients.edge_identity import KEYS_FOLDER
from shopsphere.foundation.clock import wait_until


@pytest.mark.requirement("a static asset is a cache hit the second time")
@pytest.mark.parametrize("path", ["/static/a.css", "/media/b.svg"])
def test_second_request_is_a_hit(fetch: Fetch, frankfurt: Origin, path: str) -> None:
    first, second = fetch(path), fetch(path)
    assert (first.status_code, first.headers["x-cache"], first.text) == (200, "MISS", f"frankfurt {path}")
    assert (second.status_code, second.headers["x-cache"], second.text) == (200, "HIT", f"frankfurt {path}")
    assert int(second.headers["age"]) < 60
    assert len([entry for entry in frankfurt.requests if entry[1] == path]) == 1
    assert fetch(path, "HEAD").status_code == 200


@pytest.mark.requirement("the CDN serves static paths only")
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 403),
        ("/checkout", 403),
        ("/staticx/a.css", 403),
        ("/static", 403),
        ("/static/%2e%2e/checkout", 400),
        ("/static//checkout", 400),
        ("/STATIC/a.css", 403),
        ("/static/", 404),
        ("/static/a.css/", 404),
        ("/static/%61.css", 400),
        ("/static/.a.css", 400),
        ("/static/a.css;x=1", 400),
    ],
)
def test_other_paths_are_refused(fetch: Fetch, frankfurt: Origin, path: str, status: int) -> None:
    before = len(frankfurt.requests)
    assert fetch(path).status_code == status
    assert len(frankfurt.requests) == before


@pytest.mark.requirement("the CDN reads only")
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused(fetch: Fetch, frankfurt: Origin, method: str) -> None:
    before = len(frankfurt.requests)
    assert fetch("/static/a.css", method).status_code == 405
    assert len(frankfurt.requests) == before


@pytest.mark.requirement("a name without a distribution gets nothing")
def test_other_names_are_refused(fetch: Fetch) -> None:
    assert fetch("/static/a.css", host="www.shopsphere.test").status_code == 404


@pytest.mark.requirement("no personal data passes through the CDN")
def test_nothing_personal_passes(fetch: Fetch, frankfurt: Origin) -> None:
    answer = fetch("/static/person.css?email=a@b.example", Cookie="session=x", Authorization="Basic eA==")
    _, path, sent = frankfurt.requests[-1]
    assert path == "/static/person.css"
    personal = {"cookie", "authorization", "x-forwarded-for", "user-agent", "referer", "forwarded"}
    assert not personal & {key.lower() for key in sent}
    assert "set-cookie" not in answer.headers
    fetch("/static/versioned.css?v=1.2-x")
    assert frankfurt.requests[-1][1] == "/static/versioned.css"


@pytest.mark.requirement("with an origin gone the next one answers")
def test_next_origin_answers(fetch: Fetch, edge: EdgeHost, frankfurt: Origin) -> None:
    frankfurt.stop()
    try:
        answer = fetch("/static/only-after.css")  # before any probe has noticed
        assert (answer.status_code, answer.text) == (200, "dublin /static/only-after.css")
        healthy(edge, 1)
        assert fetch("/static/later.css").text == "dublin /static/later.css"
    finally:
        frankfurt.start()
        healthy(edge, 2)


@pytest.mark.requirement("static assets are served stale when every origin is gone, and fresh again afterwards")
def test_stale_when_all_origins_are_gone(fetch: Fetch, edge: EdgeHost, frankfurt: Origin, dublin: Origin) -> None:
    frankfurt.lifetime = dublin.lifetime = 1
    fetch("/static/short.css")
    frankfurt.stop()
    dublin.stop()
    try:
        time.sleep(2)
        at_once = fetch("/static/short.css")  # the probes do not know yet
        assert (at_once.status_code, at_once.text) == (200, "frankfurt /static/short.css")
        healthy(edge, 0)
        later = fetch("/static/short.css")
        assert (later.status_code, later.headers["x-cache-stale"]) == (200, "yes")
        never_seen = fetch("/static/never-seen.css")
        assert never_seen.status_code == 503
        assert "x-cache-stale" not in never_seen.headers
    finally:
        frankfurt.lifetime = dublin.lifetime = 60
        frankfurt.start()
        dublin.start()
        healthy(edge, 2)
    fetch("/static/short.css")
    wait_until(
        lambda: "x-cache-stale" not in fetch("/static/short.css").headers, what="a fresh copy", seconds=60, interval=0.2
    )


@pytest.mark.requirement("an origin's errors never replace a copy that is kept, for at least 24 hours")
def test_stale_when_origins_answer_errors(
    fetch: Fetch, frankfurt: Origin, dublin: Origin, inputs: dict[str, Any]
) -> None:
    assert inputs["staleSeconds"] >= 24 * 3600
    frankfurt.lifetime = 1
    fetch("/static/error.css")
    frankfurt.status = dublin.status = 500
    try:
        time.sleep(2)
        answers = [fetch("/static/error.css") for _ in range(5)]
    finally:
        frankfurt.status = dublin.status = 200
        frankfurt.lifetime = 60
    assert {(answer.status_code, answer.text) for answer in answers} == {(200, "frankfurt /static/error.css")}


@pytest.mark.requirement("a bad configuration is refused with the compiler's words, and the old one goes on")
def test_bad_configuration_is_refused(edge: EdgeHost, cdn: Cdn, inputs: dict[str, Any], fetch: Fetch) -> None:
    document = {key: inputs[key] for key in inputs if key not in {"endpoint", KEYS_FOLDER}}
    # Valid by the model, refused by the compiler: more is needed than the window holds.
    bad = {**document, "probe": {**document["probe"], "window": 2, "threshold": 3}}
    before = loaded(edge)
    with pytest.raises(ServiceError, match=r"422.*[Tt]hreshold"):
        cdn.put("static", bad)
    assert cdn.get("static") == document
    assert loaded(edge) == before
    assert fetch("/static/a.css").status_code == 200


@pytest.mark.requirement("the CDN takes public data from static paths only")
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dataClass", "personal"),
        ("paths", ["/"]),
        ("origins", []),
        ("origins", [{"name": "frankfurt", "address": "10.99.0.66"}]),
        ("origins", [{"name": "dublin", "address": "10.99.0.11"}]),
        ("origins", [{"name": "newyork", "address": "10.99.0.40"}]),
        ("staleSeconds", 60),
        ("more", 1),
    ],
)
def test_agent_refuses(cdn: Cdn, inputs: dict[str, Any], key: str, value: object) -> None:
    document = {name: inputs[name] for name in inputs if name not in {"endpoint", KEYS_FOLDER}}
    with pytest.raises(ServiceError, match=f"422.*{key}"):
        cdn.put("static", {**document, key: value})


@pytest.mark.requirement("the configuration API asks for its token, also who comes past the door")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_agent_needs_a_token(edge: EdgeHost, method: str) -> None:
    url = f"http://127.0.0.1:{edge.settings.cdn_inner_port}/v1/distributions/static"
    assert httpx.request(method, url, trust_env=False).status_code == 401
    for token in ("wrong", ""):
        given = {"Authorization": f"Bearer {token}".strip()}
        assert httpx.request(method, url, headers=given, trust_env=False).status_code == 401


@pytest.mark.requirement("a restart of cache, agent or both keeps the configuration")
@pytest.mark.parametrize("killed", [["cdn-cache"], ["cdn-agent"], ["cdn-cache", "cdn-agent"]])
def test_restart_keeps_the_configuration(
    edge: EdgeHost, cdn: Cdn, fetch: Fetch, inputs: dict[str, Any], killed: list[str]
) -> None:
    ports = {
        "cdn-cache": ("127.0.0.1", edge.settings.cache_port),
        "cdn-agent": ("127.0.0.1", edge.settings.cdn_inner_port),
    }
    for name in killed:
        edge.kill(name)
    for name in killed:
        edge.restart(name, *ports[name])
    healthy(edge, 2)
    assert present(cdn.get("static"))["origins"] == inputs["origins"]
    assert fetch("/static/again.css").status_code == 200


@pytest.mark.requirement("the provider sees a changed distribution and repairs it; it adopts only what is equal")
def test_provider_sees_a_change(cdn: Cdn, inputs: dict[str, Any], fetch: Fetch) -> None:
    provider = CdnDistributionProvider()
    document = {key: inputs[key] for key in inputs if key not in {"endpoint", KEYS_FOLDER}}
    assert not provider.diff("static", present(provider.read("static", inputs).outs), inputs).changes
    provider.create(inputs)  # equal, so adopted
    cdn.put("static", {**document, "paths": ["/static/"]})
    assert fetch("/media/b.svg").status_code == 403
    read = provider.read("static", inputs)
    assert provider.diff("static", present(read.outs), inputs).changes
    with pytest.raises(AdoptionError):
        provider.create(inputs)
    provider.update("static", present(read.outs), inputs)
    assert fetch("/media/b.svg").status_code == 200
    provider.delete("static", inputs)
    assert fetch("/media/b.svg").status_code == 404
    assert provider.read("static", inputs).id == ""
    provider.create(inputs)
