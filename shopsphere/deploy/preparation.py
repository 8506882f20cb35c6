"""What has to be there before the engine opens a region's stacks: files, secrets, no stranded locks."""

from __future__ import annotations

from collections.abc import Iterable

from shopsphere.deploy.event_log_secrets import ensure_event_log_secrets
from shopsphere.deploy.filling_in import require_filled_in
from shopsphere.deploy.key_management import require_key_management
from shopsphere.deploy.listening import Listener, Noted
from shopsphere.deploy.opening import open_engine, release_locks
from shopsphere.deploy.secrets import ensure_archive_secrets, ensure_gateway_certificate, ensure_pair_secrets
from shopsphere.deploy.waiting import when_free
from shopsphere.estate import stack_files
from shopsphere.estate.pair_secrets import PAIR_SECRET_NAMES
from shopsphere.estate.stack import Environment, StackId, site_stack
from shopsphere.topology import Topology


def prepare_region(topology: Topology, stacks: tuple[StackId, ...], listener: Listener) -> None:
    """Make stack files and secrets of a region's stacks, and of their peers, because a pair shares its secrets.

    Raises:
        ShopSphereError: something is missing that only a person can supply.
    """
    both = tuple(_with_peers(topology, stacks))
    require_filled_in(both)
    for stack in both:
        prepare_stack(stack, listener)
    pairs = {stack.region for stack in stacks if stack.region in topology.pairs}
    for pair in sorted(pairs):
        environment = stacks[0].environment
        if ensure_pair_secrets(topology, topology.pair(pair), environment):
            listener.tell(Noted(pair, "made its shared secrets and stored them encrypted in both stacks"))
        if ensure_event_log_secrets(topology, topology.pair(pair), environment):
            listener.tell(Noted(pair, "made the certificates of its event log and stored them encrypted"))
    for stack in stacks:
        if stack.region in topology.pairs and stack.environment is Environment.LAB:
            ensure_gateway_certificate(stack)
            ensure_archive_secrets(topology, stack)


def prepare_stack(stack: StackId, listener: Listener) -> None:
    """Make one stack's file current and the stack itself exist.

    Raises:
        NoKeyManagementError: a stack of production would keep its secrets under a passphrase.
        ShopSphereError: something is missing that only a person can supply.
    """
    if stack.environment is Environment.LAB:
        stack_files.write_machine_file(stack)
    else:
        stack_files.check_production_file(stack, made_here=frozenset(PAIR_SECRET_NAMES))
        require_key_management(stack)
    for lock in when_free(stack, listener, lambda: release_locks(stack)):
        listener.tell(
            Noted(stack.label, f"released the lock of process {lock.pid}, which is gone (taken {lock.since})")
        )
    open_engine(stack)


def _with_peers(topology: Topology, stacks: tuple[StackId, ...]) -> Iterable[StackId]:
    wanted = dict.fromkeys(stacks)
    for stack in stacks:
        peer = topology.peer_of(stack.site) if stack.site else None
        if peer:
            wanted[site_stack(topology, peer.name, stack.environment)] = None
    return wanted
