"""Telling every reader of a pair's record which operators have left, through the witness, whoever rules its voters."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.signing import NotSignedError
from shopsphere.witness.identity import Identity
from shopsphere.witness.signatures import Signatures, document_in, record_in
from shopsphere.witness.store import Store, put
from shopsphere.witness.users import ROOT, PairKeys
from shopsphere.witness.withdrawn import FILE, withdrawn_in


class StillNeededError(ShopSphereError):
    """The pair's record rests on a signature of somebody who has left."""


def publish_withdrawn(store: Store, folder: Path, pair: str) -> str:
    """Bring the list of operators who have left to the witness, where it is not there yet; returns what was done.

    A reader who remembers nothing judges the record by that list. So it is not brought there before somebody else has
    signed the record.

    Args:
        store: the witness, asked as root.
        folder: where the pair's keys are kept.
        pair: its name.

    Raises:
        StillNeededError: somebody has to sign the record first.
        UnreadableWitnessError: the record cannot be read.
        WitnessUnreachableError: no quorum answered.
    """
    said = withdrawn_in(folder, pair)
    if said is None:
        return ""
    keys, text = PairKeys.of(pair), (folder / FILE).read_text()
    found = store.read(keys.record, keys.withdrawn)
    if (there := found.get(keys.withdrawn)) and there.value == text:
        return ""
    if entry := found.get(keys.record):
        _require_good_without(pair, folder, entry.value, text)
    store.swap([], [put(keys.withdrawn, text)], keys.withdrawn)
    return f"signatures are not believed any more of {', '.join(said.users)}"


def _require_good_without(pair: str, folder: Path, record_text: str, withdrawn: str) -> None:
    document = document_in(record_text)
    record, signatures = record_in(pair, document), Signatures(pair, Identity(folder, ROOT))
    if record.signature is None:
        return
    signatures.hear(withdrawn)
    try:
        signatures.require_good(document, record, None, datetime.now(UTC))
    except NotSignedError as error:
        raise StillNeededError.build(
            f"{pair}: users and rights are as declared, but who has left is still believed",
            expected="a record that somebody has signed who stays",
            found=f"epoch {record.epoch}, {record.active} active, by {record.actor}: {error}",
            action=f"compare that with what the agents say; `shopsphere witness sign {pair} --epoch {record.epoch} "
            f"--active {record.active}` with the key of another operator; then the same command again",
        ) from error
