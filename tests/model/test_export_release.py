"""A release is numbered, signed and written in one way; headquarters tells apart what can be wrong with one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from export_world import DAY, REGION, SMALL, money_release, signer
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import ShopError
from app.export.outbox import BATCH, LARGEST_BATCH, batch_of
from app.export.release import CONTEXT, LARGEST, Sealed, Signer, is_signed, key_id, public_key_of, read
from app.export.schema import Release
from app.export.verifying import Judged, Known, Register, Verdict, judge

pytestmark = pytest.mark.requirement("releases are numbered and signed, and headquarters takes each of them once")

OURS, THEIRS, STRANGER = signer(1), signer(2), signer(3)
REGISTER = Register({REGION: [OURS.public], 2: [THEIRS.public]})


def known(*releases: Release) -> Known:
    found = Known()
    for each in releases:
        found = found.beside(OURS.seal(each), each)
    return found


def day(number: int) -> Release:
    return money_release(number, DAY + timedelta(days=number))


def judged(sealed: Sealed, here: Sequence[Release] = (), peer: int = REGION) -> Judged:
    return judge(sealed, REGISTER, peer, known(*here), SMALL)


def test_the_bytes_of_a_release_are_these() -> None:
    """By hand: who reads a release in ten years has this."""
    body = OURS.seal(money_release(7)).body
    assert body.decode() == (
        '{"form":1,"region":1,"seq":7,"kind":"money","day":"2026-11-02","part":1,"parts":1,"rows":[{"table":"money",'
        '"day":"2026-11-02","currency":"EUR","category":null,"metric":"orders","value":20,"flag":"exact"}]}'
    )


def test_a_seal_is_over_the_whole_content_and_of_one_key() -> None:
    sealed = OURS.seal(money_release(1))
    assert is_signed(sealed, OURS.public)
    assert not is_signed(sealed, THEIRS.public)
    assert sealed.signer == key_id(OURS.public)
    assert sealed.digest == OURS.seal(money_release(1)).digest
    assert sealed.digest != OURS.seal(money_release(1, value=21)).digest


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_changed_byte_is_taken(place: int, change: int) -> None:
    sealed = OURS.seal(money_release(1))
    whole = bytearray(sealed.body + sealed.signer + sealed.signature)
    whole[place % len(whole)] ^= change
    body, rest = bytes(whole[: len(sealed.body)]), bytes(whole[len(sealed.body) :])
    changed = Sealed(body=body, signer=rest[:8], signature=rest[8:])
    assert judged(changed).verdict in {Verdict.BAD_SIGNATURE, Verdict.UNKNOWN_SIGNER}


def test_the_next_release_is_new_and_the_same_one_again_is_repeated() -> None:
    assert judged(OURS.seal(day(1))).verdict is Verdict.NEW
    assert judged(OURS.seal(day(3)), [day(1), day(2)]).verdict is Verdict.NEW
    for number in (1, 2):
        assert judged(OURS.seal(day(number)), [day(1), day(2)]).verdict is Verdict.REPEATED


def signed_anyway(body: bytes, by: int = 1) -> Sealed:
    """What a key holder can sign past every type of ours."""
    key = Ed25519PrivateKey.from_private_bytes(bytes([by]) * 32)
    return Sealed(body=body, signer=key_id(key.public_key()), signature=key.sign(CONTEXT + body))


BODY = OURS.seal(money_release(1)).body
WRONG = {
    "unknown signer": (STRANGER.seal(day(1)), (), 1, Verdict.UNKNOWN_SIGNER),
    "not over these bytes": (
        Sealed(body=BODY, signer=key_id(OURS.public), signature=OURS.seal(day(2)).signature),
        (),
        1,
        Verdict.BAD_SIGNATURE,
    ),
    "signed as something else": (
        Sealed(
            body=BODY,
            signer=key_id(OURS.public),
            signature=Ed25519PrivateKey.from_private_bytes(b"\1" * 32).sign(BODY),
        ),
        (),
        1,
        Verdict.BAD_SIGNATURE,
    ),
    "gap": (OURS.seal(day(3)), (day(1),), 1, Verdict.GAP),
    "first is missing": (OURS.seal(day(2)), (), 1, Verdict.GAP),
    "other content": (OURS.seal(money_release(1, value=21)), (money_release(1),), 1, Verdict.OTHER_CONTENT),
    "day again": (OURS.seal(money_release(2)), (money_release(1),), 1, Verdict.DAY_AGAIN),
    "says another region": (OURS.seal(money_release(1, region=2)), (), 1, Verdict.WRONG_REGION),
    "of another region": (THEIRS.seal(money_release(1, region=2)), (), 1, Verdict.WRONG_REGION),
    "signed by another region": (THEIRS.seal(money_release(1)), (), 1, Verdict.WRONG_REGION),
    "over another region's line": (OURS.seal(money_release(1)), (), 2, Verdict.WRONG_REGION),
    "a text in it": (signed_anyway(BODY.replace(b'"parts":1', b'"parts":1,"note":"Ada"')), (), 1, Verdict.UNREADABLE),
    "written in another way": (signed_anyway(BODY.replace(b":", b": ")), (), 1, Verdict.UNREADABLE),
    "an amount with a point": (signed_anyway(BODY.replace(b'"value":20', b'"value":20.0')), (), 1, Verdict.UNREADABLE),
    "an exponent": (signed_anyway(BODY.replace(b'"value":20', b'"value":2e1')), (), 1, Verdict.UNREADABLE),
    "an amount as a text": (signed_anyway(BODY.replace(b'"value":20', b'"value":"20"')), (), 1, Verdict.UNREADABLE),
    "a member twice": (signed_anyway(BODY.replace(b'"seq":1', b'"seq":1,"seq":1')), (), 1, Verdict.UNREADABLE),
    "cut off": (signed_anyway(BODY[:-1]), (), 1, Verdict.UNREADABLE),
    "more behind it": (signed_anyway(BODY + b"\n"), (), 1, Verdict.UNREADABLE),
    "not in the catalogue": (
        signed_anyway(BODY.replace(b'"category":null', b'"category":5')),
        (),
        1,
        Verdict.UNREADABLE,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("sealed", "here", "peer", "verdict"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_apart(sealed: Sealed, here: tuple[Release, ...], peer: int, verdict: Verdict) -> None:
    found = judged(sealed, here, peer)
    assert found.verdict is verdict
    assert found.found


def test_who_stole_one_regions_key_cannot_speak_for_another() -> None:
    stolen = signed_anyway(OURS.seal(money_release(1, region=2)).body)
    assert judge(stolen, REGISTER, 2, Known(), SMALL).verdict is Verdict.WRONG_REGION


def test_two_keys_of_a_region_are_believed_while_one_is_renewed() -> None:
    register = Register({1: [OURS.public, STRANGER.public]})
    for each in (OURS, STRANGER):
        assert judge(each.seal(day(1)), register, 1, Known(), SMALL).verdict is Verdict.NEW


def test_a_key_that_would_not_tell_who_signed_is_refused() -> None:
    with pytest.raises(ShopError, match="for regions 1 and 2\n"):
        Register({1: [OURS.public], 2: [THEIRS.public, OURS.public]})
    Register({1: [OURS.public, OURS.public]})


def pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_keys_are_read_from_pem_and_others_are_refused() -> None:
    key = Ed25519PrivateKey.from_private_bytes(b"\1" * 32)
    assert Signer.of_pem(pem(key)).seal(day(1)) == OURS.seal(day(1))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert public_key_of(public).public_bytes_raw() == OURS.public.public_bytes_raw()
    other = generate_private_key(SECP256R1())
    for wrong in (b"", other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), public):
        with pytest.raises(ShopError, match="Ed25519"):
            Signer.of_pem(wrong)
    for wrong in (b"", other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), pem(key)):
        with pytest.raises(ShopError, match="Ed25519"):
            public_key_of(wrong)


def test_a_batch_is_at_most_64_releases_and_a_megabyte_and_never_nothing() -> None:
    small = [OURS.seal(day(number)) for number in range(1, 100)]
    first = batch_of(bytes(16), small)
    assert first is not None
    assert [read(each.body).seq for each in first.releases] == list(range(1, BATCH + 1))
    large = [replace_body(small[0], LARGEST) for _ in range(10)]
    second = batch_of(bytes(16), large)
    assert second is not None
    assert len(second.releases) == LARGEST_BATCH // LARGEST == 4
    assert batch_of(bytes(16), []) is None
    assert len(msgspec.json.encode(second)) < 2 * LARGEST_BATCH


def replace_body(sealed: Sealed, size: int) -> Sealed:
    return Sealed(body=b" " * size, signer=sealed.signer, signature=sealed.signature)


def test_what_is_judged_does_not_change_what_is_known() -> None:
    here = known(day(1))
    copy = replace(here)
    judge(OURS.seal(day(2)), REGISTER, 1, here, SMALL)
    assert here == copy
