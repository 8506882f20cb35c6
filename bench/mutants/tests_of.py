"""Which tests judge which module, the fast ones first, and which modules are the residency core."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from mutators import REPOSITORY

Stages = tuple[Sequence[str], ...]
"""Files of tests; the next stage runs only where the one before has not failed."""

MODEL, GRAPH = "tests/model/test_", "tests/graph/test_"
RULES = tuple(f"{MODEL}{name}.py" for name in ("policies", "policies_catalogue", "policies_pack", "pod_power"))
PROPERTIES = (f"{MODEL}policies_properties.py",)
ADMISSION = (f"{MODEL}admission_policies.py",)
FLEET = tuple(f"{MODEL}{name}.py" for name in ("fleet_paths", "fleet_report", "fleet_properties"))
GRAPHS = tuple(f"{GRAPH}{name}.py" for name in ("policies_on_graphs", "ways_out"))
STAGES: tuple[tuple[str, Stages], ...] = (
    ("policies/admission/", (ADMISSION, (f"{GRAPH}admission_cases.py",))),
    ("policies/fleet/", (FLEET, (f"{GRAPH}fleet.py",))),
    ("policies/", (RULES, PROPERTIES, (*FLEET, *ADMISSION), GRAPHS)),
)
MAP_STAGES: Stages = (RULES, (*FLEET, *ADMISSION, f"{MODEL}topology.py"), GRAPHS)
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
    named = {file for _, each in STAGES for stage in each for file in stage} | {f for s in MAP_STAGES for f in s}
    return [REPOSITORY / file for file in sorted(named) if not (REPOSITORY / file).exists()]
