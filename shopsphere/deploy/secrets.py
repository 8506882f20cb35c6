"""Secrets in a stack's configuration: shared by a pair, made once, encrypted, never printed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from shopsphere.deploy.environment import variables
from shopsphere.deploy.key_management import require_key_management
from shopsphere.deploy.programs import find_program
from shopsphere.estate import stack_files
from shopsphere.estate.archive_keys import RECIPIENT_FILE, archive_keys_folder
from shopsphere.estate.databases import DATABASES
from shopsphere.estate.pair_secrets import (
    ADDABLE_SECRET_NAMES,
    GATEWAY_SECRET_NAMES,
    OTHER_SECRET_NAMES,
    PAIR_SECRET_NAMES,
    generate_pair_secrets,
)
from shopsphere.estate.paths import pulumi_directory
from shopsphere.estate.stack import Environment, StackId, site_stack
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.paths import lab_directory
from shopsphere.foundation.process import run
from shopsphere.topology import Pair, Topology

NAMESPACE = stack_files.NAMESPACE
Write = Callable[[StackId, Mapping[str, str]], None]
Read = Callable[[StackId], dict[str, str]]


def set_secrets(stack: StackId, values: Mapping[str, str]) -> None:
    """Encrypt values into a stack's configuration.

    They go through standard input: an argument could be read by every user of the machine.

    Raises:
        NoKeyManagementError: a stack of production would keep them under a passphrase.
    """
    require_key_management(stack)
    pulumi = str(find_program("pulumi"))
    for name, value in values.items():
        command = [pulumi, "config", "set", "--secret", "--raw", f"{NAMESPACE}:{name}", "--stack", stack.name]
        run([*command, "--non-interactive"], stdin=value, cwd=stack.folder, env=variables(stack))


def remove_secrets(stack: StackId, names: Iterable[str]) -> None:
    """Take secrets out of a stack's configuration; one that is not there is no error."""
    pulumi = str(find_program("pulumi"))
    for name in names:
        command = [pulumi, "config", "rm", f"{NAMESPACE}:{name}", "--stack", stack.name, "--non-interactive"]
        run(command, cwd=stack.folder, env=variables(stack))


def read_secrets(stack: StackId) -> dict[str, str]:
    """Decrypt a stack's configuration and return its secrets by name."""
    command = [str(find_program("pulumi")), "config", "--show-secrets", "--json", "--stack", stack.name]
    entries = json.loads(run([*command, "--non-interactive"], cwd=stack.folder, env=variables(stack)).stdout)
    prefix = f"{NAMESPACE}:"
    return {key.removeprefix(prefix): entry["value"] for key, entry in entries.items() if entry.get("secret")}


def ensure_pair_secrets(
    topology: Topology,
    pair: Pair,
    environment: Environment,
    *,
    write: Write = set_secrets,
    read: Read = read_secrets,
) -> bool:
    """See to it that both stacks of a pair hold the same secrets; return whether any was written.

    What one stack has is copied to the other; what neither has is made, all at once. Nothing is overwritten. Where
    only secrets are missing that an older version did not have, they are added.

    Raises:
        ShopSphereError: both have some and none has all, so that no whole set exists to copy.
    """
    stacks = [site_stack(topology, site, environment) for site in pair.sites]
    present = [_present(stack) for stack in stacks]
    wanted = set(PAIR_SECRET_NAMES)
    if all(wanted <= names for names in present):
        return False
    older = wanted - ADDABLE_SECRET_NAMES
    whole = next((stack for stack, names in zip(stacks, present, strict=True) if older <= names), None)
    if whole is None and any(names & wanted for names in present):
        missing = ", ".join(sorted(older - (present[0] | present[1])) or sorted(older - present[0]))
        raise ShopSphereError.build(
            f"{pair.name}: neither of its stacks has the whole set of shared secrets",
            expected="all of them in at least one stack: certificates of different sets do not trust each other",
            found=f"missing: {missing}",
            action="set the missing ones with `pulumi config set --secret`, or remove them all to have new ones made",
        )
    values = generate_pair_secrets(topology, pair)
    for stack, names in sorted(zip(stacks, present, strict=True), key=lambda each: each[0] == whole):
        if stack == whole or names & ADDABLE_SECRET_NAMES:
            values |= read(stack)  # the whole set comes last: of certificates it has the last word
    for stack, names in zip(stacks, present, strict=True):
        # A site that is new in the middle of a rotation has to believe what the other one believes.
        beside = () if names & wanted else OTHER_SECRET_NAMES
        wanted_here = (*PAIR_SECRET_NAMES, *(name for name in beside if name in values))
        missing_here = {name: values[name] for name in wanted_here if name not in names}
        if missing_here:
            write(stack, missing_here)
    return True


def ensure_gateway_certificate(stack: StackId, *, write: Write = set_secrets) -> bool:
    """Give a lab site the lab's certificate for its public names; return whether it was new.

    Raises:
        ShopSphereError: the lab has made none yet.
    """
    folder = lab_directory() / "pki" / "public"
    certificate, key = folder / "tls.crt", folder / "tls.key"
    if not certificate.exists() or not key.exists():
        raise ShopSphereError.build(
            f"{stack.label}: no certificate for the public names",
            expected=str(certificate),
            found="no such file",
            action="start the lab: `shopsphere lab up`",
        )
    note = _note(stack)
    digest = hashlib.sha256(certificate.read_bytes()).hexdigest()
    have = _present(stack).issuperset(GATEWAY_SECRET_NAMES)
    if have and note.exists() and note.read_text() == digest:
        return False
    write(stack, {"gatewayTlsCertificate": certificate.read_text(), "gatewayTlsKey": key.read_text()})
    note.write_text(digest)
    return True


def ensure_archive_secrets(topology: Topology, stack: StackId, *, write: Write = set_secrets) -> bool:
    """Give a lab site the secrets of its accounts at the archive; return whether any was new.

    Raises:
        ShopSphereError: the lab has made none yet.
    """
    if stack.site is None or topology.archive_of(stack.site) is None:
        return False
    folder = archive_keys_folder(topology, stack.site)
    files = {f"{each.name}ArchiveSecret": folder / f"{each.cluster(stack.site)}.secret" for each in DATABASES}
    absent = [file for file in (*files.values(), folder / RECIPIENT_FILE) if not file.exists()]
    if absent:
        raise ShopSphereError.build(
            f"{stack.label}: no account at the archive",
            expected=", ".join(map(str, absent)),
            found="no such file",
            action="start the lab: `shopsphere lab up`",
        )
    values = {name: file.read_text().strip() for name, file in files.items()}
    note = pulumi_directory() / "stacks" / f"{stack.name}.archive"
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
    if _present(stack).issuperset(values) and note.exists() and note.read_text() == digest:
        return False
    write(stack, values)
    note.write_text(digest)
    return True


def _note(stack: StackId) -> Path:
    """The file that remembers which certificate the stack has: telling from the secret itself needs decryption."""
    return pulumi_directory() / "stacks" / f"{stack.name}.certificate"


def _present(stack: StackId) -> set[str]:
    prefix = f"{NAMESPACE}:"
    config = stack_files.configuration(stack)
    return {key.removeprefix(prefix) for key, value in config.items() if isinstance(value, dict) and "secure" in value}
