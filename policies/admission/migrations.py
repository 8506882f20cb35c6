"""The Job that migrates a database has exactly the shape that its component writes: RES-007."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policies.admission.declared_images import NOTHING, pattern_of
from policies.admission.language import Validation, every, literal
from policies.admission.loose import loose
from policies.admission.site_facts import SiteFacts
from policies.listing import migrations
from policies.listing.table import WHY_NO_TYPE
from shopsphere.estate.placement import NAME_LABEL, Placement

TEMPLATE = "object.spec.template"
_COMMAND = every(
    f"!has({TEMPLATE}.spec.initContainers) || {TEMPLATE}.spec.initContainers.size() == 0",
    f"{TEMPLATE}.spec.containers.all(c, c.?args.orValue([]).size() == 0 && "
    f"c.?command.orValue([]) in {literal(migrations.MIGRATIONS)})",
)
"""Whether a Job runs the migration of a database, and nothing else: nobody sees what another one did."""
_FILLED_IN: Mapping[str, object] = {
    "completions": 1,
    "parallelism": 1,
    "completionMode": "NonIndexed",
    "suspend": False,
    "manualSelector": False,
    "podReplacementPolicy": "TerminatingOrFailed",
}
"""What the API server writes into a Job that does not say it."""
_FILLED_IN_MODE = 420
"""Of the files of a secret's volume, where nobody says another one (0o644)."""
_OF_JOBS = ("controller-uid", "job-name")
_LABELS_OF_JOBS = (*_OF_JOBS, *(f"batch.kubernetes.io/{each}" for each in _OF_JOBS))
"""Labels that the API server gives a Job's pods."""
_POD_BESIDE = ("containers", "dnsPolicy", "schedulerName")
"""Fields of the pod that are judged on their own, or as every pod's are."""
_CONTAINER_BESIDE = ("image", "resources", "env", "terminationMessagePath")


def variables(facts: SiteFacts) -> dict[str, str]:
    """Return what `validations` look at: parts of the Job, and what is wanted of a Job of its name."""
    wanted = {name: _wanted(name, facts) for name in migrations.BY_NAME}
    return {
        "job": "dyn(object.spec)",
        "pod": f"dyn({TEMPLATE}.spec)",
        "container": f"dyn({TEMPLATE}.spec.containers[0])",
        "wanted": f"dyn({loose(wanted)})[?object.metadata.?name.orValue('')].orValue(dyn({{}}))",
    }


def validations(facts: SiteFacts) -> tuple[Validation, ...]:
    """Return what has to be true of a Job; each part has what is wanted, and no field beside."""
    filled_in = (
        f"!({literal(key)} in variables.job) || variables.job[{literal(key)}] == {literal(value)}"
        for key, value in _FILLED_IN.items()
    )
    own = ("template", "selector", *_FILLED_IN)
    labels = f"dyn({TEMPLATE}.metadata.?labels.orValue({{}}))"
    checks = (
        ("metadata", "request.?namespace.orValue('') == variables.wanted.?namespace.orValue('-')"),
        ("spec", every(_is_wanted("job", own), *filled_in)),
        (
            "spec.template.metadata",
            every(
                f"dyn({TEMPLATE}.metadata).all(k, k in ['labels', 'creationTimestamp'])",
                f"{labels}.all(k, k in {literal([*_label_names(), *_LABELS_OF_JOBS])})",
                f"{labels}[?{literal(NAME_LABEL)}].orValue('') == object.metadata.?name.orValue('')",
            ),
        ),
        ("spec.template.spec", every(f"{TEMPLATE}.spec.containers.size() == 1", _is_wanted("pod", _POD_BESIDE))),
        (
            "spec.template.spec.containers[0]",
            every(
                _is_wanted("container", _CONTAINER_BESIDE),
                "variables.container.?terminationMessagePath.orValue('/dev/termination-log') == '/dev/termination-log'",
                "variables.container.?resources.orValue(dyn({})).all(k, k in ['requests', 'limits'])",
            ),
        ),
        (
            "spec.template.spec.containers[0].env",
            "variables.container.?env.orValue(dyn([])) == variables.wanted.?env.orValue(dyn([]))",
        ),
    )
    return (
        Validation("RES-007", _COMMAND, f"a job that is no migration: {WHY_NO_TYPE['batch']}"),
        *(
            Validation(
                "RES-007",
                expression,
                f"{place}: other than the migration's own, or something beside it, which could take the owner's "
                "password",
            )
            for place, expression in checks
        ),
        Validation(
            "SEC-002",
            _of_the_workload(facts),
            "spec.template.spec.containers[0].image: other than that of the workload whose schema it is, as the site's "
            "stack declares it; another program would have the owner's password",
        ),
    )


def _is_wanted(part: str, beside: tuple[str, ...]) -> str:
    """Return CEL of whether a part has all that is wanted as it is wanted, and else only fields of `beside`."""
    found, wanted = f"variables.{part}", f"variables.wanted.?{part}.orValue(dyn({{}}))"
    return every(
        f"{wanted}.all(k, k in {found} && {found}[k] == {wanted}[k])",
        f"{found}.all(k, k in {wanted} || k in {literal([*beside])})",
    )


def _of_the_workload(facts: SiteFacts) -> str:
    """Return CEL of whether the image is that of the workload whose schema it brings, by its digest if it has one."""
    images = {
        name: pattern_of([facts.images.get(migrations.workload_of(database).image, "")], digest=True)
        for name, database in migrations.BY_NAME.items()
    }
    wanted = f"{literal(images)}[?object.metadata.?name.orValue('')].orValue({literal(NOTHING)})"
    return f"variables.images.all(i, i.matches({wanted}))"


def _wanted(name: str, facts: SiteFacts) -> dict[str, Any]:
    database = migrations.BY_NAME[name]
    pod = migrations.pod_of(name, facts.site)
    for volume in pod["volumes"]:
        if "secret" in volume:
            volume["secret"]["defaultMode"] = _FILLED_IN_MODE
    return {
        "namespace": database.namespace.name,
        "job": {"backoffLimit": migrations.job_of(name)["backoffLimit"]},
        "pod": pod,
        "container": migrations.container_of(database),
        "env": migrations.settings_of(database, facts.site, facts.environment, facts.region),
    }


def _label_names() -> list[str]:
    return sorted(Placement("", "").labels("", data_class="", owner=""))
