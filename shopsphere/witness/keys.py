"""The keys of a pair's witness: two authorities, two certificates per voter, and one per user with its password.

One authority signs for the port that users ask, another one for the port among voters: whoever may speak there can
write any key without being a user, so no user's certificate opens it.

Whoever has `ca.key` can make a user's certificate, whoever has `peers-ca.key` a voter, and whoever has `tokens.key` can
be any user: none belongs on a host that does not need it. A voter needs what `voter_files` names, a user what
`user_files` names.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shopsphere.foundation.authority_change import Stage, Step, change_authority, stage_of, waits_to_sign
from shopsphere.foundation.certificates import KeyPair, begin_of, issue, new_authority
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.errors import UsageError
from shopsphere.foundation.files import secret_in, write_whole
from shopsphere.foundation.locking import try_lock
from shopsphere.witness.identity import AUTHORITY, Identity
from shopsphere.witness.operators import operators_in
from shopsphere.witness.users import OPERATOR, certificate_names, role_of
from shopsphere.witness.withdrawn import add_withdrawn, sign_withdrawn_anew, take_withdrawn, withdrawn_in

_PEERS = "peers-ca"
AUTHORITIES = (AUTHORITY, f"{_PEERS}.crt")
"""Files of those who sign; behind the one that signs each may hold a former one, which is believed until it is gone."""
TOKENS_PRIVATE, TOKENS_PUBLIC = "tokens.key", "tokens.pub"
"""All voters sign the tokens of their users with the same key, so that each accepts the other's."""

_LOCK_SECONDS = 30.0


def make_keys(folder: Path, pair: str, voters: Mapping[str, Iterable[str]], users: Iterable[str]) -> None:
    """Make what is missing of a witness's keys, and renew what is not good any more; the rest stays.

    A certificate is renewed that ends soon, lacks a name, or is of another authority than the one that signs now.

    Args:
        folder: where they are kept.
        pair: its name.
        voters: names and addresses by which clients and other voters reach each.
        users: of the witness.

    Raises:
        AuthorityEndedError: an authority has ended, and no other one is begun.
        ShopSphereError: which operators have left cannot be read.
        WaitExpiredError: another process is making keys there, and does not end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    with _alone(folder):
        _remove_who_left(folder, pair)
        authority = new_authority(folder, f"witness of {pair}")
        peers = new_authority(folder, f"voters of {pair}", stem=_PEERS)
        if not waits_to_sign(folder, _PEERS):
            for voter, addresses in voters.items():
                issue(peers, _pair(folder, _peer_name(voter)), organisation=voter, alternatives=tuple(addresses))
        for user in users:
            secret_in(Identity(folder, user).files[-1])
        _make_token_keys(folder)
        if waits_to_sign(folder):
            return
        for voter, addresses in voters.items():
            issue(authority, _pair(folder, voter_name(voter)), organisation=voter, alternatives=tuple(addresses))
        for user in users:  # no common name: see shopsphere.witness.identity
            issue(authority, _pair(folder, user), organisation=role_of(user), alternatives=certificate_names(user))
        sign_withdrawn_anew(folder, pair, authority)


def declared_operators(folder: Path, pair: str) -> list[str]:
    """Return the operators of a pair, by what is kept in its folder of keys.

    First the one whom all share who have no key of their own, until that one was withdrawn. A key of who has left, as
    an older copy of the folder holds it, makes nobody an operator again.

    Raises:
        ShopSphereError: which have left cannot be read.
    """
    left = withdrawn_in(folder, pair)
    known = [OPERATOR, *operators_in(folder)]
    return [each for each in known if not (left and left.takes_away(each, begin_of(folder / f"{each}.crt")))]


def withdraw(folder: Path, pair: str, user: str) -> None:
    """Note that an operator has left, and remove his keys from where they are kept.

    Raises:
        UsageError: nobody is called so, or nobody else could move the pair.
        ShopSphereError: which have left cannot be read, or they are too many.
        WaitExpiredError: another process is making keys there, and does not end.
    """
    known = declared_operators(folder, pair)
    if user not in known or known == [user]:
        raise UsageError.build(
            f"{pair}: {user} was not withdrawn",
            expected="one of several operators",
            found=", ".join(known) or "none",
            action="name one of them; make another one first, with --operator",
        )
    with _alone(folder):
        add_withdrawn(folder, pair, user)
        _remove(folder, user)


def take_list(folder: Path, pair: str, text: str) -> None:
    """Note who has left by the list that the witness has, and remove their keys; raises as `take_withdrawn` does.

    Raises:
        WaitExpiredError: another process is making keys there, and does not end.
    """
    with _alone(folder):
        take_withdrawn(folder, pair, text)
        _remove_who_left(folder, pair)


def _remove_who_left(folder: Path, pair: str) -> None:
    """Remove keys that count no more: who gets his name again gets new ones."""
    left = withdrawn_in(folder, pair)
    for user in left.users if left else ():
        if left and left.takes_away(user, begin_of(folder / f"{user}.crt")):
            _remove(folder, user)


def _remove(folder: Path, user: str) -> None:
    for each in Identity(folder, user).files[1:]:
        each.unlink(missing_ok=True)


def change_authorities(folder: Path, step: Step) -> dict[str, Stage]:
    """Do a step of a change of both authorities, that for users and that for voters among each other.

    Returns:
        how far each is, by its file.

    Raises:
        AuthorityChangeError: another step comes next.
        WaitExpiredError: another process is making keys there, and does not end.
    """
    with _alone(folder):
        return {name: change_authority(folder, step, Path(name).stem) for name in AUTHORITIES}


def stages_of(folder: Path) -> dict[str, Stage]:
    """Return how far the change of each authority is, by its file."""
    return {name: stage_of(folder, Path(name).stem) for name in AUTHORITIES}


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep another process from making keys in this folder: a certificate of one and a key of the other do not fit."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        wait_until(
            lambda: try_lock(descriptor), what=f"the keys in {folder} to be made", seconds=_LOCK_SECONDS, interval=0.1
        )
        yield
    finally:
        os.close(descriptor)


def voter_name(voter: str) -> str:
    """Return how the files of a voter begin."""
    return f"voter-{voter}"


def voter_files(folder: Path, voter: str) -> tuple[Path, ...]:
    """Return what a voter's host needs: for users, for other voters, for tokens."""
    served, peer = _pair(folder, voter_name(voter)), _pair(folder, _peer_name(voter))
    return (
        *(folder / AUTHORITY, served.certificate, served.key),
        *(folder / AUTHORITIES[1], peer.certificate, peer.key),
        *(folder / TOKENS_PRIVATE, folder / TOKENS_PUBLIC),
    )


def voter_options(folder: Path, voter: str) -> tuple[str, ...]:
    """Return the options with which etcd demands these keys at both ports, and tokens of an hour behind them."""
    authority, certificate, key, peers, peer_certificate, peer_key, private, public = voter_files(folder, voter)
    return (
        "--client-cert-auth",
        f"--trusted-ca-file={authority}",
        f"--cert-file={certificate}",
        f"--key-file={key}",
        "--peer-client-cert-auth",
        f"--peer-trusted-ca-file={peers}",
        f"--peer-cert-file={peer_certificate}",
        f"--peer-key-file={peer_key}",
        "--tls-min-version=TLS1.3",
        f"--auth-token=jwt,sign-method=ES256,ttl=1h,priv-key={private},pub-key={public}",
        "--bcrypt-cost=4",  # passwords are random and of 256 bits: guessing them is no use, and each command asks once
    )


def _peer_name(voter: str) -> str:
    return f"peer-{voter}"


def user_files(folder: Path, user: str) -> tuple[Path, ...]:
    """Return what somebody who asks as this user needs."""
    return Identity(folder, user).files


def hand_out(files: Iterable[Path], folder: Path) -> None:
    """Copy keys to the folder of who needs them; a file that is the same already stays untouched."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for file in files:
        text, target = file.read_text(), folder / file.name
        if not target.exists() or target.read_text() != text:
            write_whole(target, text, mode=0o600)


def _pair(folder: Path, name: str) -> KeyPair:
    return KeyPair(folder / f"{name}.crt", folder / f"{name}.key")


def _make_token_keys(folder: Path) -> None:
    """Make the key that signs tokens, then the one that judges them: who finds the second finds the first."""
    private, public = folder / TOKENS_PRIVATE, folder / TOKENS_PUBLIC
    if public.exists():
        return
    key = ec.generate_private_key(ec.SECP256R1())
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_whole(private, text.decode(), mode=0o600)
    told = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    write_whole(public, told.decode())
