"""What an engineer may get wrong in the program, its tables or its configuration, one edit at a time: all is found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from seeded_tree import SeededTree
from seeds import SEEDS
from seeds.seed import REFUSED, Seed
from site_graph import committed_stacks

from policies.fleet.rules import FLEET_RULES
from policies.registry import discover

ALONE = {each.id for each in FLEET_RULES} | {"LIM-003"}
"""Rules that one seed breaks: each of the fleet's is about one kind of flow, and power has a second rule per pod."""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeededTree]:
    seeded = SeededTree(tmp_path_factory.mktemp("seeded") / "tree")
    yield seeded
    seeded.close()


@pytest.mark.requirement("80 seeded violations on the real stacks, one at a time, are all found")
@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"{seed.by}: {seed.did}")
def test_an_edit_is_found(tree: SeededTree, seed: Seed) -> None:
    verdict = tree.judged(seed)
    assert "fault" not in verdict, verdict["fault"]
    if seed.by == REFUSED:
        assert seed.says in verdict["refused"], verdict
    else:
        assert any(rule == seed.by and seed.says in found for rule, found in verdict["found"]), verdict


@pytest.mark.requirement("the clean stacks give none, judged as the seeded ones are")
@pytest.mark.parametrize("stack", ["lab-frankfurt", "prod-sydney", "prod-newyork", "lab", "prod"])
def test_the_same_tree_without_an_edit_is_clean(tree: SeededTree, stack: str) -> None:
    seed = Seed("nothing", "components/site.py", "", "", stack, "")
    assert tree.judged_as_it_is(seed) == {"found": [], "refused": ""}


def test_seeds_are_of_every_rule_every_stack_and_every_kind_of_file() -> None:
    assert len(SEEDS) >= 80
    assert len({each.did for each in SEEDS}) == len(SEEDS)
    by = Counter(each.by for each in SEEDS)
    assert set(by) == {rule.id for rule in discover()} | {each.id for each in FLEET_RULES} | {REFUSED}
    assert {rule for rule, count in by.items() if count < 2} <= ALONE
    assert {each.stack for each in SEEDS} == {stack for _, stack in committed_stacks()} | {"lab", "prod"}
    folders = {"topology.yaml", "topology.prod.yaml", "Pulumi.prod.yaml", "stacks", "components", "shopsphere"}
    assert folders <= {each.file.partition("/")[0] for each in SEEDS}
