"""Which images a site's admission policies let beside a database's secrets: those that its stack declares."""

from __future__ import annotations

import re

import pytest

from policies.admission.declared_images import (
    NOTHING,
    committed_configuration,
    declared_images,
    pattern_of,
    repository_of,
)
from policies.admission.language import AdmissionPolicy
from policies.admission.site_policies import site_policies
from shopsphere.estate.stack import Environment
from shopsphere.topology import load_topology

DIGEST, OTHER = f"sha256:{'a1' * 32}", f"sha256:{'b2' * 32}"
SHOP = f"registry.example:5000/a-b/shop:1.2@{DIGEST}"
POSTGRESQL = f"registry.example:5000/a-b/postgresql:15@{DIGEST}"
LAB = load_topology(environment="lab")


def policy(name: str, site: str = "frankfurt", **images: str) -> AdmissionPolicy:
    found = site_policies(load_topology(environment="prod"), site, Environment.PROD, images, event_log=False)
    return next(each for each in found if each.name == name)


def images_of(found: AdmissionPolicy) -> list[str]:
    return [each.expression for each in found.validations if "matches" in each.expression and each.rule == "SEC-002"]


@pytest.mark.parametrize(
    ("image", "any_version", "that_digest"),
    [
        (SHOP, True, True),
        (f"registry.example:5000/a-b/shop@{DIGEST}", True, True),
        (f"registry.example:5000/a-b/shop:9@{DIGEST}", True, True),
        (f"registry.example:5000/a-b/shop:1.2@{OTHER}", True, False),
        ("registry.example:5000/a-b/shop:1.2", True, False),
        ("registry.example:5000/a-b/shop", True, False),
        (f"registry.example:5001/a-b/shop:1.2@{DIGEST}", False, False),
        (f"registry.example:5000/a-b/shop2:1.2@{DIGEST}", False, False),
        (f"registry.example:5000/a-b/shop/more:1.2@{DIGEST}", False, False),
        (f"registry-example:5000/a-b/shop:1.2@{DIGEST}", False, False),
        (f"x/{SHOP}", False, False),
        (f"{SHOP}0", False, False),
        (f"{SHOP}\nx", False, False),
    ],
)
def test_an_image_is_of_a_declared_repository_and_of_its_digest_where_that_is_wanted(
    image: str, any_version: bool, that_digest: bool
) -> None:
    assert bool(re.search(pattern_of([SHOP]), image)) is any_version
    assert bool(re.search(pattern_of([SHOP], digest=True), image)) is that_digest


def test_without_a_declared_digest_each_version_will_do() -> None:
    assert re.search(pattern_of(["localhost/shop:1"], digest=True), f"localhost/shop@{OTHER}")


@pytest.mark.parametrize("references", [[], ["shop"], ["REPLACE_ME/shop:1@sha256:REPLACE_ME"]])
def test_what_is_no_reference_lets_nothing_in(references: list[str]) -> None:
    assert pattern_of(references) == NOTHING
    assert not re.search(NOTHING, "")
    assert not re.search(NOTHING, SHOP)


def test_a_repository_is_registry_and_path() -> None:
    assert repository_of(SHOP) == "registry.example:5000/a-b/shop"
    assert repository_of("shop") == ""


def test_declared_is_what_the_stack_of_the_site_says() -> None:
    assert declared_images(committed_configuration(LAB, "frankfurt", Environment.LAB)) == {
        "shop": "localhost/shopsphere/shop:0.1.0",
        "gateway": "localhost/shopsphere/gateway:2.6",
        "postgresql": "localhost/shopsphere/postgresql:15.18-1",
        "archive": "localhost/shopsphere/archive:0.1.0",
        "kafka": "localhost/shopsphere/kafka:4.4.0",
    }
    assert declared_images(committed_configuration(LAB, "newyork", Environment.LAB)) == {}


@pytest.mark.requirement("a migration runs the declared program, and no other has the owner's password")
def test_a_migration_has_the_declared_digest_and_a_database_the_declared_repository() -> None:
    images = {"shop": SHOP, "postgresql": POSTGRESQL}
    (migration,) = [each for each in images_of(policy("migrations", **images)) if "ledger-migration" in each]
    assert migration.count(DIGEST) == 2  # one of each database
    assert "postgresql" not in migration
    database = "\n".join(images_of(policy("database-fields", **images)))
    assert "postgresql" in database
    assert "shop" not in database
    assert DIGEST not in database


def test_a_site_without_images_runs_no_migration_no_workload_and_no_database() -> None:
    nothing = NOTHING.replace("\\", "\\\\")
    for name in ("migrations", "workloads", "database-fields"):
        assert nothing in "\n".join(images_of(policy(name, "newyork"))), name
