"""Where a pair's witness is, and with which keys it is asked, as the edge's configuration says."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from shopsphere.estate.access import AccessError, WitnessAccess, in_clear, witness_access
from shopsphere.estate.stack import Environment
from shopsphere.witness.belief import Belief
from shopsphere.witness.client import Witness
from shopsphere.witness.heads import AuditShelf
from shopsphere.witness.identity import Identity
from shopsphere.witness.operators import acting_as, operator_here
from shopsphere.witness.seen import Seen
from shopsphere.witness.signing_anew import SigningWitness
from shopsphere.witness.store import Store
from shopsphere.witness.users import ROOT, WATCHER, PairKeys


def witness_of(pair: str, environment: Environment, *, user: str = WATCHER) -> Witness:
    """Return a pair's witness, as the edge's configuration names its voters.

    Args:
        pair: its name.
        environment: where it is.
        user: who asks; a watcher changes nothing.

    Raises:
        AccessError: it names none, or no keys. What is wrong with the keys is said when the witness is asked.
    """
    return witness_in(witness_access(environment), pair, user)


def operated_witness(pair: str, environment: Environment) -> Witness:
    """Return a pair's witness for whoever moves the pair; raises as `witness_of` does."""
    return witness_of(pair, environment, user=_operator(pair, environment))


def acting(pair: str, environment: Environment) -> str:
    """Return who acts at a pair, for records: the operator by the key that moves it, then the login.

    Raises:
        AccessError: where the keys are, is not known here.
        UsageError: there are keys of several operators, and nobody says whose is meant.
    """
    return acting_as(_operator(pair, environment))


def _operator(pair: str, environment: Environment) -> str:
    return operator_here(keys_folder(witness_access(environment), pair))


def require_operator(pair: str, environment: Environment) -> None:
    """Read as an operator, before anything depends on it.

    Raises:
        AccessError: where the witness is, is not known here.
        WitnessKeysError: the keys of operators are not there.
        WitnessRefusedError: they are not believed.
        WitnessUnreachableError: no quorum answered: nothing is known of the keys.
    """
    with closing(operated_witness(pair, environment)) as witness:
        witness.see()


def administered_witness(pair: str, environment: Environment) -> Store:
    """Return the store behind a pair's witness, asked as root; raises as `witness_of` does."""
    urls, identity = _way(witness_access(environment), pair, ROOT)
    return Store(urls, identity)


def administered_shelf(store: Store, pair: str) -> AuditShelf:
    """Return where the witness of a pair keeps heads of audit logs, for whoever administers it."""
    return AuditShelf(store, PairKeys.of(pair).audit, pair)


def signing_witness(pair: str, environment: Environment) -> SigningWitness:
    """Return a pair's witness for whoever signs its record by hand; raises as `witness_of` does."""
    access = witness_access(environment)
    urls, identity = _way(access, pair, operator_here(keys_folder(access, pair)))
    return SigningWitness(pair, urls, identity, belief=Belief(pair, identity, demanded=access.witness_signed))


def keys_folder(access: WitnessAccess, pair: str) -> Path:
    """Return where the keys of a pair's witness are kept.

    Raises:
        AccessError: nobody says where.
    """
    if not access.witness_keys:
        raise AccessError.build(
            f"{pair}: the keys of its witness are not known here",
            expected="status:witnessKeys in the edge's stack file: a folder with a folder of each pair",
            found="nothing",
            action="`shopsphere up edge` writes it for the lab; for your own, see docs/witness.md",
        )
    return Path(access.witness_keys).expanduser() / pair


def witness_in(access: WitnessAccess, pair: str, user: str = WATCHER) -> Witness:
    """Return a pair's witness as these ways lead to it; raises as `witness_of` does."""
    urls, identity = _way(access, pair, user)
    return Witness(pair, urls, identity, belief=Belief(pair, identity, demanded=access.witness_signed))


def see_once(pair: str, environment: Environment) -> Seen:
    """Return record and lease of a pair, with connections for this one question.

    Raises:
        AccessError: where the witness is, is not known here.
        WitnessKeysError: the keys of watchers are not there.
        WitnessUnreachableError: no quorum answered.
    """
    with closing(witness_of(pair, environment)) as witness:
        return witness.see()


def _way(access: WitnessAccess, pair: str, user: str) -> tuple[list[str], Identity]:
    urls = access.witness.get(pair)
    if not urls:
        raise AccessError.build(
            f"{pair}: where its witness is, is not known here",
            expected=f"status:witness with every voter of {pair} in the edge's stack file",
            found="nothing, or a placeholder",
            action="`shopsphere up edge` writes it for the lab; for your own sites, add the voters' addresses",
        )
    if open_ones := in_clear(urls):
        raise AccessError.build(
            f"{pair}: its witness is not asked in clear",
            expected="https:// addresses of all voters: who answers there decides which site takes writes",
            found=", ".join(open_ones),
            action="start the voters with TLS and client certificates (docs/witness.md), and write https:// here",
        )
    return list(urls), Identity(keys_folder(access, pair), user)
