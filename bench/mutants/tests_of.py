"""Which tests judge which module, the fast ones first, and which modules are the residency core."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mutators import REPOSITORY


@dataclass(frozen=True)
class Stage:
    """Files of tests that run together.

    Attributes:
        files: from the repository.
        is_plain: only their tests without fixtures run, called without pytest.
    """

    files: tuple[str, ...]
    is_plain: bool = False


Stages = tuple[Stage, ...]
"""The next stage runs only where the one before has not failed."""

MODEL, GRAPH = "tests/model/test_", "tests/graph/test_"
RULES = tuple(
    f"{MODEL}{name}.py"
    for name in (
        "policies",
        "names_lead_home",
        "kubeconfig_ways",
        "listed_values",
        "policies_pack",
        "policies_catalogue",
        "pod_power",
        "property_reading",
        "rule_findings",
        "declared_resources",
        "rules_are_found",
    )
)
OF_RULES = (*RULES, *(f"{MODEL}{name}.py" for name in ("policies_properties", "policies_environment")))
ADMISSION = tuple(f"{MODEL}{name}.py" for name in ("admission_policies", "policies_catalogue"))
FLEET = tuple(
    f"{MODEL}{name}.py"
    for name in (
        "report_documents",
        "fleet_targets",
        "fleet_stores",
        "fleet_hosts",
        "fleet_addresses",
        "fleet_of_databases",
        "fleet_of_programs",
        "fleet_of_edge",
        "fleet_of_networks",
        "policies_catalogue",
        "fleet_paths",
        "fleet_report",
        "report_formats",
    )
)
OF_FLEET = (*FLEET, f"{MODEL}fleet_properties.py", f"{MODEL}policy_command.py")
GRAPHS = tuple(f"{GRAPH}{name}.py" for name in ("policies_on_graphs", "ways_out"))
STAGES: tuple[tuple[str, Stages], ...] = (
    ("policies/admission/", (
        Stage(ADMISSION, is_plain=True), Stage(ADMISSION), Stage((f"{GRAPH}admission_cases.py",)),
    )),
    ("policies/fleet/", (Stage(FLEET, is_plain=True), Stage(OF_FLEET), Stage((f"{GRAPH}fleet.py",)))),
    ("policies/", (
        Stage(RULES, is_plain=True), Stage((*FLEET, *ADMISSION), is_plain=True), Stage(OF_RULES),
        Stage((*OF_FLEET, *ADMISSION)), Stage(GRAPHS),
    )),
)  # fmt: skip
MAP_STAGES: Stages = (
    Stage((*RULES, f"{MODEL}topology.py"), is_plain=True), Stage((*FLEET, *ADMISSION), is_plain=True),
    Stage((*OF_RULES, f"{MODEL}topology.py")), Stage((*OF_FLEET, *ADMISSION)), Stage(GRAPHS),
)  # fmt: skip
CORE = (
    "policies/residency/", "policies/residency_map.py", "policies/edge/", "policies/fleet/paths.py",
    "policies/fleet/graph.py", "policies/fleet/flow.py", "policies/fleet/stores.py",
)  # fmt: skip
"""Where every mutant must be killed: what says where a class of data may be, and the paths by which it would leave."""


def stages(file: str) -> Stages:
    return next(found for prefix, found in STAGES if file.startswith(prefix))


def is_core(file: str) -> bool:
    return file.startswith(CORE)


def modules(only: Sequence[str]) -> Iterator[str]:
    """Yield the modules of policies/ whose path begins with one of `only`; all of them without any."""
    for path in sorted((REPOSITORY / "policies").rglob("*.py")):
        file = path.relative_to(REPOSITORY).as_posix()
        if path.name not in {"__init__.py", "__main__.py"} and file.startswith(tuple(only) or ""):
            yield file


def missing() -> list[Path]:
    """Files of tests that are named here and are not there."""
    named = {file for each in (*(found for _, found in STAGES), MAP_STAGES) for stage in each for file in stage.files}
    return [REPOSITORY / file for file in sorted(named) if not (REPOSITORY / file).exists()]
