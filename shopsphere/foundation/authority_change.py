"""A certificate authority is changed in three steps, so that both are believed in between; each can be repeated.

`begin` makes a new one and puts it behind the one that signs, `sign` lets it sign with the former one behind it, `end`
takes the former away. Between two steps the file with the authority goes to everybody who is to believe it.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from shopsphere.foundation.certificates import KeyPair, end_of, new_authority
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.files import write_whole


class AuthorityChangeError(ShopSphereError):
    """A step of a change of authority is not the one that comes next."""


class Step(StrEnum):
    """What is to be done."""

    BEGIN = "begin"
    SIGN = "sign"
    END = "end"


class Stage(StrEnum):
    """How far a change is; the value is what is to be done next."""

    AT_REST = ""
    BEGUN = "copy the file to all who are to believe it, restart those that read it at their start; then: sign"
    SIGNING = "copy each its files; when nobody shows a certificate of the former authority any more: end"


_REACHES = {Step.BEGIN: Stage.BEGUN, Step.SIGN: Stage.SIGNING, Step.END: Stage.AT_REST}
_FROM = {Step.BEGIN: Stage.AT_REST, Step.SIGN: Stage.BEGUN, Step.END: Stage.SIGNING}


def stage_of(folder: Path, stem: str = "ca") -> Stage:
    """Return how far the change of an authority is; its files begin with `stem`."""
    believed, following = _believed(folder / f"{stem}.crt"), _next(folder, stem)
    if following.key.exists() and following.certificate.exists():
        return Stage.BEGUN if _believed(following.certificate)[0] in believed else Stage.AT_REST
    return Stage.SIGNING if len(believed) > 1 else Stage.AT_REST


def waits_to_sign(folder: Path, stem: str = "ca") -> bool:
    """Whether the authority has ended and another one is begun: nothing is issued until that one signs."""
    end = end_of(folder / f"{stem}.crt")
    return stage_of(folder, stem) is Stage.BEGUN and end is not None and end <= dt.datetime.now(dt.UTC)


def change_authority(folder: Path, step: Step, stem: str = "ca") -> Stage:
    """Do a step; one that was done already, or was broken off in the middle, is done to its end.

    Returns:
        how far the change is then.

    Raises:
        AuthorityChangeError: another step comes next.
    """
    stage = stage_of(folder, stem)
    if stage is _REACHES[step] and step is not Step.END:
        return stage
    if stage is not _FROM[step]:
        raise AuthorityChangeError.build(
            f"{folder / stem}.crt: `{step}` does not come next",
            expected=f"`{step}` after its step before, and after what that asked for",
            found=f"next is: {stage or Step.BEGIN}",
            action="do that",
        )
    {Step.BEGIN: _begin, Step.SIGN: _sign, Step.END: _end}[step](folder, stem)
    return stage_of(folder, stem)


def _next(folder: Path, stem: str) -> KeyPair:
    return KeyPair(folder / f"{stem}.next.crt", folder / f"{stem}.next.key")


def _believed(file: Path) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(file.read_bytes())


def _write(file: Path, certificates: list[x509.Certificate]) -> None:
    write_whole(file, "".join(each.public_bytes(serialization.Encoding.PEM).decode() for each in certificates))


def _begin(folder: Path, stem: str) -> None:
    believed, following = _believed(folder / f"{stem}.crt"), _next(folder, stem)
    (name,) = believed[0].subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    # A name of its own: who looks for the issuer of a certificate by its name is to find one.
    dated = f"{str(name.value).partition(', from ')[0]}, from {dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M:%S}"
    new_authority(folder, dated, stem=f"{stem}.next")
    _write(folder / f"{stem}.crt", [believed[0], *_believed(following.certificate)])


def _sign(folder: Path, stem: str) -> None:
    believed, following = _believed(folder / f"{stem}.crt"), _next(folder, stem)
    (new,) = _believed(following.certificate)
    # Between the two files nothing can be issued: the key is not that of the first certificate. Repeating mends that.
    _write(folder / f"{stem}.crt", [new, *(each for each in believed if each != new)])
    write_whole(folder / f"{stem}.key", following.key.read_text(), mode=0o600)
    following.certificate.unlink()
    following.key.unlink()


def _end(folder: Path, stem: str) -> None:
    first, *others = _believed(folder / f"{stem}.crt")
    former = {each.subject for each in others}
    for file in sorted(folder.glob("*.crt")):
        found = _believed(file)[0]
        if found.issuer != found.subject and found.issuer in former:
            raise AuthorityChangeError.build(
                f"{file} is still of the former authority",
                expected="every certificate of the new one",
                found=found.issuer.rfc4514_string(),
                action="make its keys anew with the usual words, and copy them to their host; then repeat",
            )
    _write(folder / f"{stem}.crt", [first])
