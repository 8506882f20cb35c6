"""Commands to the running cache beside the CDN's API: the API says what they changed, and takes them back."""

from __future__ import annotations

import httpx
import pytest
from edge_cdn import Fetch, healthy, loaded, varnish
from edge_host import LOOPBACK, EdgeHost

from lab.edge.cdn.runtime import PARAMETERS
from shopsphere.clients.cdn_agent import CACHE, Cdn
from shopsphere.clients.edge_identity import DEPLOYER
from shopsphere.clients.http import read_key


def names(cdn: Cdn) -> list[str]:
    return [str(each["name"]) for each in cdn.told_otherwise()]


def put_back(edge: EdgeHost) -> httpx.Response:
    return httpx.post(f"{edge.cdn_api}{CACHE}", verify=edge.identity(DEPLOYER).context(), timeout=30)


@pytest.mark.requirement("a cache that was told something beside the CDN's API is found, and put back by it")
def test_what_the_cache_is_told_is_seen_and_taken_back(edge: EdgeHost, cdn: Cdn, fetch: Fetch) -> None:
    assert cdn.told_otherwise() == []
    active = next(name for state, name in loaded(edge) if state == "active")
    varnish(edge, "param.set", "default_ttl", "86401")
    varnish(edge, "param.reset", "http_req_size")
    varnish(edge, "param.set", "feature", "-http2")
    varnish(edge, "param.set", "thread_pool_max", "400")
    varnish(edge, "backend.set_health", f"{active}.o__static__frankfurt", "sick")
    told = {str(each["name"]): (each["declared"], each["live"]) for each in cdn.told_otherwise()}
    features, lifetime = told.pop("feature"), told.pop("default_ttl")
    assert [float(each) for each in lifetime] == [120, 86401]
    assert "+http2" in features[0].split(",")
    assert told == {
        "http_req_size": ("8192", "the program's own default"),
        "thread_pool_max": ("500", "400"),
        "health of o__static__frankfurt": ("probe", "sick"),
    }
    answer = put_back(edge)
    assert (answer.status_code, answer.json()) == (200, {"differences": []})
    assert cdn.told_otherwise() == []
    healthy(edge, 2)
    assert fetch("/static/put-back.css").status_code == 200


@pytest.mark.requirement("another configuration in the cache is found, and put back by the CDN's API")
def test_another_configuration_is_seen_and_taken_back(edge: EdgeHost, cdn: Cdn, fetch: Fetch) -> None:
    varnish(edge, "vcl.inline", "tap", '"vcl 4.1; backend default none; sub vcl_recv { return (synth(299)); }"')
    assert ("available", "tap") in loaded(edge)
    assert names(cdn) == [], "it is loaded and serves nobody"
    varnish(edge, "vcl.use", "tap")
    assert fetch("/static/tap.css").status_code == 299
    (found,) = cdn.told_otherwise()
    assert found["name"] == "configuration"
    assert found["live"].endswith("loaded as tap")
    assert found["declared"] != found["live"].partition(",")[0]
    assert put_back(edge).json() == {"differences": []}
    healthy(edge, 2)
    assert fetch("/static/tap.css").status_code == 200
    assert {state for state, name in loaded(edge) if name == "tap"} <= {"discarded"}, "until its last request has ended"


def test_who_has_no_token_is_told_nothing(edge: EdgeHost) -> None:
    inside = f"http://{LOOPBACK}:{edge.settings.cdn_inner_port}"
    for method, path in (("GET", CACHE), ("POST", CACHE), ("POST", "/v1/distributions/static")):
        assert httpx.request(method, f"{inside}{path}", timeout=10).status_code == 401
    token = read_key(str(edge.settings.cdn_token_file))
    answer = httpx.post(f"{inside}/v1/distributions/static", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 404


def test_every_parameter_is_one_that_the_cache_knows(edge: EdgeHost) -> None:
    for name in PARAMETERS:
        assert varnish(edge, "param.show", name).startswith(name)
