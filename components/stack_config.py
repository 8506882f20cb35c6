"""Reads a stack's configuration: validates what is plain, hands on what is secret, refuses what nobody filled in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

import pulumi
from pulumi.runtime import is_config_secret, is_dry_run
from pulumi.runtime.config import CONFIG, get_config_env
from pydantic import ValidationError

from shopsphere.estate.declared_names import Problem, wrong_names
from shopsphere.estate.event_log import EVENT_LOG_SECRET_NAMES, PASSWORD, wanted_secrets
from shopsphere.estate.pair_secrets import (
    ARCHIVE_SECRET_NAMES,
    OTHER_SECRET_NAMES,
    OWNER_SECRET_NAMES,
    SITE_SECRET_NAMES,
)
from shopsphere.estate.site_config_parts import Frozen
from shopsphere.estate.site_declaration import SiteDeclaration
from shopsphere.estate.stack import Environment
from shopsphere.estate.stack_files import NAMESPACE, PLACEHOLDER, STAND_IN, placeholders
from shopsphere.foundation.errors import ShopSphereError

OPTIONAL_SECRET_NAMES = (
    "registryPassword",
    *OWNER_SECRET_NAMES,
    *ARCHIVE_SECRET_NAMES,
    *OTHER_SECRET_NAMES,
    *EVENT_LOG_SECRET_NAMES,
    PASSWORD,
)

Model = TypeVar("Model", bound=Frozen)


class StackConfigError(ShopSphereError):
    """A stack's configuration cannot be used; the message lists all that is wrong with it."""


def environment_of_stack() -> str:
    """Return the environment out of a stack's name, which is `<environment>-<site>`, or the edge's `<environment>`."""
    return pulumi.get_stack().partition("-")[0]


def site_secret_names(*, archived: bool) -> tuple[str, ...]:
    """Return the names of all secrets that this stack has to have.

    They are those of a site, of its payment provider, where its jurisdiction has one of the archive, and those that are
    there because others are renewed.
    """
    has = stack_values()
    of_event_log = wanted_secrets(_decoded(has.get("kafka", "")))
    in_lab = environment_of_stack() == Environment.LAB
    of_archive = ARCHIVE_SECRET_NAMES if archived else ()
    of_owner = (name for name in OWNER_SECRET_NAMES if not in_lab or name in has)
    return (
        *SITE_SECRET_NAMES,
        *of_archive,
        *of_owner,
        *of_event_log,
        *(name for name in OTHER_SECRET_NAMES if name in has),
    )


def configured_kafka() -> object:
    """Return what this stack has under `kafka`, whatever it is; None for nothing."""
    return _decoded(stack_values().get("kafka", "")) or None


def stack_values() -> dict[str, str]:
    """Return this stack's own configuration as Pulumi holds it: texts by key, objects as JSON."""
    everything = {**get_config_env(), **CONFIG.get()}
    prefix = f"{NAMESPACE}:"
    return {key.removeprefix(prefix): value for key, value in everything.items() if key.startswith(prefix)}


def load_site_config(
    model: type[Model], *, secrets: tuple[str, ...] = (), site: SiteDeclaration | None = None
) -> Model:
    """Validate this stack's configuration.

    Args:
        model: what this kind of stack configures.
        secrets: names that have to be there and have to be encrypted.
        site: workloads and databases of the site, each of which has to have a size; None where there is no site.

    Raises:
        StackConfigError: with every placeholder, or else with every wrong, missing or unknown key.
    """
    values = stack_values()
    plain = {key: _decoded(value) for key, value in values.items() if key not in {*secrets, *OPTIONAL_SECRET_NAMES}}
    _refuse_placeholders(values, plain)
    problems = [_secret_problem(name, values) for name in secrets]
    readable = [
        name for name in OPTIONAL_SECRET_NAMES if name in values and not is_config_secret(f"{NAMESPACE}:{name}")
    ]
    problems += [f"{name}\n    expected: encrypted\n    found:    plain text" for name in readable]
    problems += [_listed(problem) for problem in (wrong_names(site, plain) if site else ())]
    try:
        config = model.model_validate(plain)
    except ValidationError as error:
        problems += [_problem(detail["loc"], detail["msg"], detail["input"]) for detail in error.errors()]
    found = [problem for problem in problems if problem]
    if found:
        raise _error("is not usable", found, "correct these keys with `pulumi config set`, or in the stack's file")
    return config


def secret(name: str) -> pulumi.Output[str]:
    """Return a secret of this stack's configuration."""
    return pulumi.Config(NAMESPACE).require_secret(name)


def _decoded(value: str) -> Any:
    return json.loads(value) if value[:1] in {"{", "["} else value


def _refuse_placeholders(values: Mapping[str, str], plain: Mapping[str, Any]) -> None:
    places = [place for key in sorted(values) for place in placeholders(plain.get(key, values[key]), key)]
    if places:
        raise _error(
            f"has {len(places)} placeholders left",
            places,
            f"replace {PLACEHOLDER} in the stack's file; set secrets with `pulumi config set --secret`",
        )


def _secret_problem(name: str, values: Mapping[str, str]) -> str:
    if name not in values:
        return f"{name}\n    expected: a secret\n    found:    nothing"
    if values[name] == STAND_IN and is_dry_run():
        return ""  # what is previewed has no secrets yet; `up` makes them before it deploys
    if not is_config_secret(f"{NAMESPACE}:{name}"):
        return f"{name}\n    expected: encrypted (`pulumi config set --secret`)\n    found:    plain text"
    return ""


def _problem(location: tuple[int | str, ...], message: str, value: object) -> str:
    return _listed(Problem(".".join(map(str, location)), message, repr(value)[:80]))


def _listed(problem: Problem) -> str:
    return f"{problem.key}\n    expected: {problem.expected}\n    found:    {problem.found}"


def _error(problem: str, entries: list[str], action: str) -> StackConfigError:
    listed = "\n".join(f"  {NAMESPACE}:{entry}" for entry in entries)
    return StackConfigError(
        f"the configuration of stack {pulumi.get_stack()} {problem}\n{listed}\n  do:       {action}"
    )
