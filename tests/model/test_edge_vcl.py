"""The cache's configuration as text; the edge ring runs it."""

import pytest
from pydantic import ValidationError

from components.edge.cdn_origin import CdnOriginModel
from lab.edge.cdn.distribution import Distribution
from lab.edge.cdn.vcl import render
from lab.edge.cdn.ways import Way
from lab.edge.resolver import client_bits
from shopsphere.topology import load_topology

DOCUMENT = {
    "name": "static",
    "hostNames": ["static.shopsphere.test"],
    "dataClass": "public",
    "paths": ["/static/", "/media/"],
    "origins": [
        {"name": "frankfurt", "address": "10.99.0.11"},
        {"name": "new-york", "address": "10.99.0.40", "port": 8080},
    ],
}


WAYS = {
    "frankfurt": Way.model_validate(
        {"address": "10.99.0.11", "origin_port": 8443, "name": "www.shopsphere.test", "local_port": 8461}
    )
}


def test_every_origin_has_a_backend_with_a_probe() -> None:
    text = render([Distribution.model_validate(DOCUMENT)], {})
    assert 'backend o__static__new_york {\n    .host = "10.99.0.40";\n    .port = "8080";' in text
    assert text.count(".probe = p__static;") == 2
    assert "new d__static = directors.fallback();" in text
    assert '"^(/static/|/media/)"' in text
    assert "set beresp.grace = 604800s;" in text


@pytest.mark.requirement("the CDN asks no origin without proof of who it is")
def test_origins_that_prove_their_name_are_asked_over_loopback() -> None:
    text = render([Distribution.model_validate({**DOCUMENT, "originName": "www.shopsphere.test"})], WAYS)
    assert 'backend o__static__frankfurt {\n    .host = "127.0.0.1";\n    .port = "8461";' in text
    assert 'backend o__static__new_york {\n    .host = "127.0.0.1";\n    .port = "1";' in text, "there is no way to it"
    assert "10.99.0." not in text


def test_what_an_older_version_kept_is_fetched_as_before_until_it_is_told_anew() -> None:
    old = {**DOCUMENT, "origins": [{"name": "frankfurt", "address": "10.99.0.11", "port": 80}]}
    text = render([Distribution.model_validate(old)], WAYS)
    assert 'backend o__static__frankfurt {\n    .host = "10.99.0.11";\n    .port = "80";' in text


def test_without_distributions_everything_is_refused() -> None:
    text = render([], {})
    assert "d__" not in text
    assert "No distribution has this name" in text


def test_order_of_distributions_does_not_matter() -> None:
    one = Distribution.model_validate(DOCUMENT)
    other = Distribution.model_validate({**DOCUMENT, "name": "other", "hostNames": ["other.shopsphere.test"]})
    assert render([one, other], {}) == render([other, one], {})


@pytest.mark.requirement("nothing in a distribution can become configuration of its own")
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", 'x"; }'),
        ("hostNames", ['a.b"']),
        ("hostNames", []),
        ("paths", ["/"]),
        ("paths", ['/a"/']),
        ("paths", ["/(.*)/"]),
        ("paths", []),
        ("origins", [{"name": "a", "address": "localhost"}]),
        ("origins", [{"name": "a", "address": "10.0.0.1"}, {"name": "a", "address": "10.0.0.2"}]),
        ("dataClass", "personal"),
        ("staleSeconds", 3600),
        ("originName", "www"),
        ("originName", 'a.b"'),
        ("probe", {"path": '/"'}),
        ("vcl", "x"),
    ],
)
def test_refused(key: str, value: str | int | list[str | dict[str, str]] | dict[str, str]) -> None:
    with pytest.raises(ValidationError, match=r"\n" + key):
        Distribution.model_validate({**DOCUMENT, key: value})


def test_the_stacks_own_distribution_is_accepted_as_it_is() -> None:
    topology = load_topology()
    model = CdnOriginModel(
        endpoint="http://cdn",
        keys_folder="/token",
        host_name="static.shopsphere.test",
        paths=topology.cdn.paths,
        origins=({"name": "frankfurt", "address": "10.99.0.11", "port": 8443},),
        origin_name="www.shopsphere.test",
        probe_path="/serving",
    )
    document = {key: value for key, value in model.inputs().items() if key not in {"endpoint", "keysFolder"}}
    assert Distribution.model_validate(document).model_dump(mode="json", by_alias=True) == document


@pytest.mark.requirement("the resolver passes on enough of a client's address to tell all client networks apart")
def test_client_bits() -> None:
    topology = load_topology()
    assert client_bits(topology) == 24
    eu = topology.jurisdictions["eu"].model_copy(update={"client_networks": ("10.99.64.0/26",)})
    finer = type(topology.jurisdictions["eu"]).model_validate(eu.model_dump())
    assert client_bits(topology.model_copy(update={"jurisdictions": {"eu": finer}})) == 26
