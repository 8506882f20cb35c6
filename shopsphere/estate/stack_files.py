"""The lab's stack files: what is committed, plus what only this machine knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from shopsphere.estate.archive_keys import AUTHORITY_FILE, RECIPIENT_FILE, archive_keys_folder
from shopsphere.estate.cluster_role import Role
from shopsphere.estate.lab_owner import require_own_lab
from shopsphere.estate.paths import pulumi_directory
from shopsphere.estate.stack import Environment, StackId
from shopsphere.estate.witness_seats import client_urls
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.files import write_whole
from shopsphere.foundation.paths import lab_directory
from shopsphere.foundation.yaml_text import read_yaml_file
from shopsphere.topology import Topology, load_topology

NAMESPACE = "shopsphere"
PLACEHOLDER = "REPLACE_ME"
STAND_IN = "a stand-in: `shopsphere up` makes the real one"
"""Value of a secret in a preview of a stack whose secrets were not made yet; no deployment takes it."""
STATUS_NAMESPACE = "status"
"""Keys that the edge project itself does not need: what runbooks, agents, `status` and the verification ask with."""
ROLES_KEY = f"{NAMESPACE}:kubeconfigs"
"""Key of the kubeconfigs of single roles."""
KAFKA_KEY = f"{NAMESPACE}:kafka"
"""Key of what a site's stack says of its event log: a `KafkaConfig`, or nothing where it has none."""
HEADER = "# Written by `shopsphere up` from {base}; secrets and this machine's paths. Edit that file instead.\n"


class StackFileError(ShopSphereError):
    """A stack's file cannot be read, or holds something else than a configuration."""


def base_file(stack: StackId) -> Path:
    """The committed configuration of a lab stack."""
    return stack.folder / f"{stack.name}.base.yaml"


def project_file(stack: StackId) -> Path:
    """Where `pulumi` looks for the stack's configuration."""
    return stack.folder / f"Pulumi.{stack.name}.yaml"


def machine_file(stack: StackId) -> Path:
    """The real file behind a lab stack's configuration."""
    return pulumi_directory() / "stacks" / f"Pulumi.{stack.name}.yaml"


def read(file: Path) -> dict[str, Any]:
    """Read a stack file; an absent one is empty, and so is a part under which nothing stands.

    Raises:
        StackFileError: it is no YAML, no configuration, or holds a value that could be read in two ways.
    """
    if not file.exists():
        return {}
    document = read_yaml_file(file, StackFileError)
    wrong = document if not isinstance(document, dict | None) else (document or {}).get("config")
    if not isinstance(wrong, dict | None):
        raise StackFileError.build(
            f"{file.name}: is no configuration of a stack",
            expected="a mapping, with a mapping under config",
            found=f"a {type(wrong).__name__}",
            action=f"correct {file}",
        )
    return {key: value for key, value in (document or {}).items() if value is not None}


def configuration(stack: StackId) -> dict[str, Any]:
    """Return the stack's configuration as written, secrets still encrypted."""
    config: dict[str, Any] = read(project_file(stack)).get("config", {})
    return config


def wanted(stack: StackId) -> dict[str, Any]:
    """Return the stack's file as `up` would write it, secrets still encrypted; nothing is written.

    Raises:
        ShopSphereError: a stack of the lab has no committed configuration.
    """
    if stack.environment is not Environment.LAB:
        return read(project_file(stack))
    base = read(committed_file(stack))
    facts = machine_facts(stack)
    if ROLES_KEY in base.get("config", {}):
        facts.pop(ROLES_KEY, None)  # `{}` there lets every program ask as the administrator
    return merge(base, facts, read(machine_file(stack)))


def wanted_configuration(stack: StackId) -> dict[str, Any]:
    """Return the stack's configuration as `up` would write it: also where nothing was ever deployed.

    Raises:
        ShopSphereError: as `wanted`.
    """
    config: dict[str, Any] = wanted(stack).get("config", {})
    return config


def placeholders(value: Any, path: str = "") -> list[str]:
    """Return the places in a configuration that nobody has filled in yet, as in `config.shopsphere:images.shop`."""
    match value:
        case dict():
            return [
                place for key, part in value.items() for place in placeholders(part, f"{path}.{key}".removeprefix("."))
            ]
        case list():
            return [place for index, part in enumerate(value) for place in placeholders(part, f"{path}[{index}]")]
        case _:
            return [path] if PLACEHOLDER in str(value) else []


def merge(base: dict[str, Any], machine: dict[str, Any], existing: dict[str, Any]) -> dict[str, Any]:
    """Return the stack file that follows from its three sources.

    Plain values come from the committed file and the machine only, so that a value removed there is gone here;
    secrets and the salt that decrypts them stay as they are.
    """
    kept = {key: value for key, value in existing.get("config", {}).items() if is_encrypted(value)}
    outside = {key: value for key, value in {**existing, **base}.items() if key != "config"}
    return {**outside, "config": {**base.get("config", {}), **machine, **kept}}


def committed_file(stack: StackId) -> Path:
    """Return the committed configuration of a lab stack.

    Raises:
        ShopSphereError: there is none.
    """
    base = base_file(stack)
    if not base.exists():
        raise ShopSphereError.build(
            f"{stack.label}: the stack has no committed configuration",
            expected=str(base),
            found="no such file",
            action="add it; the other stacks of this environment show its shape",
        )
    return base


def write_machine_file(stack: StackId) -> bool:
    """Bring the lab's stack file up to date and link it into the project; return whether anything changed.

    Raises:
        ShopSphereError: the committed file is missing, a file that is not ours is in the way, or the lab is another
            checkout's.
    """
    base = committed_file(stack)
    require_own_lab()
    file = machine_file(stack)
    _link(project_file(stack), file)
    document = wanted(stack)
    changed = document != read(file)
    if changed:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(file, HEADER.format(base=base.name) + yaml.safe_dump(document, sort_keys=False), mode=0o600)
    return changed


def machine_facts(stack: StackId) -> dict[str, Any]:
    """Return the configuration that differs from machine to machine, or follows from topology.yaml."""
    if stack.site is None:
        topology = load_topology(environment=stack.environment)
        return {
            f"{NAMESPACE}:edgeKeys": str(lab_directory() / "pki" / "edge"),
            f"{STATUS_NAMESPACE}:certificateAuthority": str(lab_directory() / "pki" / "public-ca.crt"),
            f"{STATUS_NAMESPACE}:witness": {
                name: list(client_urls(pair, topology)) for name, pair in topology.pairs.items()
            },
            f"{STATUS_NAMESPACE}:archiveKeys": str(lab_directory() / "pki"),
            f"{STATUS_NAMESPACE}:witnessKeys": str(lab_directory() / "pki" / "witness"),
            f"{STATUS_NAMESPACE}:witnessSigned": True,
        }
    return {
        f"{NAMESPACE}:kubeconfig": str(_kubeconfig(stack.site)),
        **_kubeconfigs_of_roles(stack.site),
        **_cdn_facts(stack.site, load_topology(environment=stack.environment)),
        **_archive_facts(stack.site, load_topology(environment=stack.environment)),
    }


def _kubeconfig(site: str, role: str = "") -> Path:
    return lab_directory() / "kubeconfigs" / f"{site}{f'-{role}' if role else ''}.yaml"


def _kubeconfigs_of_roles(site: str) -> dict[str, dict[str, str]]:
    """Return as whom programs ask that deploy nothing; nothing in a lab of before these were made."""
    files = {str(role): _kubeconfig(site, role) for role in Role if role is not Role.UP}
    found = {role: str(file) for role, file in files.items() if file.exists()}
    return {ROLES_KEY: found} if found else {}


def _cdn_facts(site: str, topology: Topology) -> dict[str, str]:
    """Return who vouches for the CDN at a gateway, the edge's own authority; a stand-in before a lab."""
    if topology.pair_of(site) is None:
        return {}
    authority = lab_directory() / "pki" / "edge" / "ca.crt"
    return {f"{NAMESPACE}:cdnAuthority": authority.read_text() if authority.exists() else STAND_IN}


def _archive_facts(site: str, topology: Topology) -> dict[str, str]:
    """Return for whom a site's backups are encrypted and by whom its archive is vouched for; stand-ins before a lab."""
    if topology.archive_of(site) is None:
        return {}
    folder = archive_keys_folder(topology, site)
    files = {"archiveRecipient": folder / RECIPIENT_FILE, "archiveAuthority": folder / AUTHORITY_FILE}
    return {
        f"{NAMESPACE}:{name}": file.read_text().strip() if file.exists() else STAND_IN for name, file in files.items()
    }


def check_production_file(stack: StackId, *, made_here: frozenset[str] = frozenset()) -> None:
    """Refuse a production stack whose placeholders were not replaced.

    Args:
        stack: the stack.
        made_here: names of secrets that this command makes itself, where a placeholder is welcome.

    Raises:
        ShopSphereError: the file is missing or names what is still to be filled in.
    """
    file = project_file(stack)
    left = left_to_fill_in(stack, made_here=made_here)
    if left:
        raise ShopSphereError.build(
            f"{file.name}: not filled in",
            expected=f"your own value in place of each {PLACEHOLDER}",
            found=left,
            action=f"edit {file}; README.md, “Your own clusters”, says what each value is",
        )


def left_to_fill_in(stack: StackId, *, made_here: frozenset[str] = frozenset()) -> str:
    """Return the places of a production stack's file that nobody has filled in, or that it is missing; else nothing.

    Args:
        stack: the stack.
        made_here: names of secrets that this command makes itself, where a placeholder is welcome.
    """
    config = read(project_file(stack))
    ours = {f"config.{NAMESPACE}:{name}" for name in made_here}
    return ", ".join(sorted(set(placeholders(config)) - ours)) if config else "no such file"


def is_encrypted(value: Any) -> bool:
    """Whether a value of the configuration is a secret as Pulumi writes it."""
    return isinstance(value, dict) and set(value) == {"secure"}


def _link(link: Path, file: Path) -> None:
    if link.is_symlink():
        if link.readlink() == file:
            return
        if link.exists():
            # Two labs that take turns in one checkout would write their secrets into each other's files.
            raise ShopSphereError.build(
                f"{link.name}: this checkout works with another lab",
                expected=str(file),
                found=str(link.readlink()),
                action=f"set SHOPSPHERE_LAB to that lab, or remove {link} to work with this one",
            )
        link.unlink()
    elif link.exists():
        raise ShopSphereError.build(
            f"{link}: a file is in the way",
            expected=f"a link to {file}, made by this command",
            found="a regular file",
            action="move what it says into the file that ends in .base.yaml beside it, then remove it",
        )
    link.symlink_to(file)
