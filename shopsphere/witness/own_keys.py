"""What the keys that this machine has of a pair's witness are worth: whether they open it, and until when."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from shopsphere.estate.access import WitnessAccess
from shopsphere.foundation.certificate_ends import SAID_BEFORE, judge_certificates
from shopsphere.foundation.certificates import end_of
from shopsphere.foundation.errors import UsageError, one_line
from shopsphere.foundation.finding import Finding
from shopsphere.witness.access import keys_folder, witness_in
from shopsphere.witness.gateway import UnreadableWitnessError, WitnessRefusedError, WitnessUnreachableError
from shopsphere.witness.identity import Identity, WitnessKeysError
from shopsphere.witness.keys import AUTHORITIES
from shopsphere.witness.operators import operator_here
from shopsphere.witness.users import OPERATOR, is_operator

RENEW = "`shopsphere witness keys` where they are kept renews them; copy them to their hosts (docs/witness.md)"
RENEW_AUTHORITY = "`shopsphere witness keys --authority begin` where they are kept begins a new one (docs/witness.md)"


@dataclass(frozen=True)
class OwnKeys:
    """Keys of one machine.

    Attributes:
        ends: when each certificate ends (UTC), by the name of its file; None where it is none.
        operator: what keeps an operator at this machine from reading; empty where nothing does, or no operator is here.
        shared: whether the operators here share one key.
    """

    ends: Mapping[str, datetime | None] = field(default_factory=dict)
    operator: str = ""
    shared: bool = False


def own_keys(access: WitnessAccess, pair: str) -> OwnKeys:
    """Look at the keys of a pair's witness on this machine, and read as an operator where it has the keys of one.

    A witness that does not answer is no fault of the keys, and not told here.

    Raises:
        AccessError: where the witness is, or where the keys are, is not known here.
    """
    folder = keys_folder(access, pair)
    try:
        user = operator_here(folder)
    except UsageError as error:
        return OwnKeys(certificate_ends(folder), one_line(error))
    own = Identity(folder, user).files[1:]
    if user == OPERATOR and not any(each.exists() for each in own):
        return OwnKeys(certificate_ends(folder))
    return OwnKeys(certificate_ends(folder), _operator_problem(access, pair, user), shared=user == OPERATOR)


def certificate_ends(folder: Path) -> dict[str, datetime | None]:
    """Return when each certificate in use in a folder of keys ends: those of authorities, and those with a key.

    Not those of other operators at this machine, whose keys this user cannot read: they are told of their own.
    """
    found = sorted(folder.glob("*.crt")) if folder.is_dir() else []
    return {each.name: end_of(each) for each in found if each.name in AUTHORITIES or _is_used(each.with_suffix(".key"))}


def _is_used(key: Path) -> bool:
    return key.exists() and (os.access(key, os.R_OK) or not is_operator(key.stem))


def judge_ends(ends: Mapping[str, datetime | None], now: datetime) -> Finding:
    """Judge when certificates of a witness end, by what they are: what is to be done of an authority is something else.

    None of the others can be renewed for longer than the authority that signs them lasts.
    """
    signing = [end for name, end in ends.items() if name in AUTHORITIES and end is not None]
    is_authority = any(end - now <= SAID_BEFORE for end in signing)
    return judge_certificates(ends, now, RENEW_AUTHORITY if is_authority else RENEW)


def _operator_problem(access: WitnessAccess, pair: str, user: str) -> str:
    try:
        with closing(witness_in(access, pair, user)) as witness:
            witness.see()
    except (WitnessUnreachableError, UnreadableWitnessError):
        return ""  # it says nothing of the keys
    except (WitnessRefusedError, WitnessKeysError) as error:
        return one_line(error)
    return ""
