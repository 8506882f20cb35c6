"""Telling every reader of a pair's record which operators have left, through the witness, whoever rules its voters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.signing import NotSignedError, authorities_in
from shopsphere.witness.identity import Identity
from shopsphere.witness.keys import take_list
from shopsphere.witness.signatures import Signatures, document_in, record_in
from shopsphere.witness.store import Store, WitnessConflictError, put, unchanged
from shopsphere.witness.users import ROOT, PairKeys
from shopsphere.witness.withdrawn import FILE, Withdrawn, withdrawn_in


class StillNeededError(ShopSphereError):
    """The pair's record rests on a signature of somebody who has left."""


class OlderFolderError(ShopSphereError):
    """Somebody has left by the list at the witness of whom the folder of keys does not know it."""


@dataclass(frozen=True)
class Published:
    """The list of operators who have left as the witness has it.

    Attributes:
        text: as it is there; empty for none.
        revision: of its key; 0 for none.
        said: what it says, where the pair's authority has signed it; None where none is believed.
    """

    text: str
    revision: int
    said: Withdrawn | None


def published(store: Store, folder: Path, pair: str) -> Published:
    """Return the list at the witness, judged by the authority in the folder of keys.

    Raises:
        WitnessUnreachableError: no quorum answered.
    """
    key = PairKeys.of(pair).withdrawn
    entry = store.read(key).get(key)
    if entry is None:
        return Published("", 0, None)
    try:
        said = Withdrawn.believed(entry.value, pair, authorities_in(folder / "ca.crt"))
    except NotSignedError:  # as readers do: whoever rules the voters can write anything there
        said = None
    return Published(entry.value, entry.revision, said)


def require_newest(folder: Path, pair: str, there: Published) -> None:
    """Refuse to declare operators by a folder of keys that is older than what the witness has of it.

    Raises:
        OlderFolderError: it is a copy of before somebody left; operators made since may be missing there, too.
        ShopSphereError: which have left cannot be read.
    """
    own = withdrawn_in(folder, pair)
    if there.said is None or (own and (folder / FILE).read_text() == there.text):
        return
    lacking = own.lacks(there.said) if own else sorted(there.said.users)
    if own is None or lacking or own.number <= there.said.number:
        found = f"number {own.number}" if own else "no list"
        raise OlderFolderError.build(
            f"{pair}: nothing was changed: {folder} is an older copy of the witness's keys",
            expected=f"who has left by the witness's list, number {there.said.number}, on a later list",
            found=f"{found}, without {', '.join(lacking)}" if lacking else found,
            action="use the copy of the folder that was changed last, which alone has operators made since; where "
            f"that is lost, `shopsphere witness secure {pair} --take-list` brings the witness's list there first",
        )


def take_published(folder: Path, pair: str, there: Published) -> str:
    """Write the witness's list into the folder of keys, and remove keys of who has left; returns what was done.

    Raises:
        ShopSphereError: the list in the folder cannot be read, or the two cannot be made one.
    """
    if there.said is None:
        return ""
    try:
        take_list(folder, pair, there.text)
    except (NotSignedError, OSError) as error:
        raise ShopSphereError.build(
            f"{pair}: the witness's list of who has left was not taken into {folder}",
            expected="the authority's key there: the folder names who has left whom the witness does not",
            found=str(error),
            action="do it where ca.key is kept",
        ) from error
    return f"have left, by the witness's list: {', '.join(there.said.users)}"


def publish_withdrawn(store: Store, folder: Path, pair: str, there: Published | None = None) -> str:
    """Bring the list of operators who have left to the witness, where it is not there yet; returns what was done.

    A reader who remembers nothing judges the record by that list. So it is not brought there before somebody else has
    signed the record.

    Args:
        store: the witness, asked as root.
        folder: where the pair's keys are kept.
        pair: its name.
        there: the list by which the folder was found to be the newest; read now if not given.

    Raises:
        OlderFolderError: the list there is newer, or holds more.
        StillNeededError: somebody has to sign the record first.
        UnreadableWitnessError: the record cannot be read.
        WitnessConflictError: somebody else has brought another one there meanwhile.
        WitnessUnreachableError: no quorum answered.
    """
    there = there or published(store, folder, pair)
    require_newest(folder, pair, there)
    said = withdrawn_in(folder, pair)
    if said is None:
        return ""
    keys, text = PairKeys.of(pair), (folder / FILE).read_text()
    if there.text == text:
        return ""
    if entry := store.read(keys.record).get(keys.record):
        _require_good_without(pair, folder, entry.value, text)
    as_seen = [unchanged(keys.withdrawn, there.revision)]
    if not store.swap(as_seen, [put(keys.withdrawn, text)], keys.withdrawn).succeeded:
        raise WitnessConflictError.build(
            f"{pair}: who has left is not told",
            expected="the list at the witness as it was before users were changed",
            found="somebody else has brought another one there meanwhile",
            action="call the same command again, with the copy of the folder that was changed last",
        )
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
            action=f"compare that with what the agents say; `shopsphere witness sign {pair} --epoch N --active SITE`, "
            "as both agents say, with the key of another operator; then the same command again",
        ) from error
