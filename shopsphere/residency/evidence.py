"""The report of a proof: what was looked for and where, what was found, what could not be seen; signed."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.foundation.files import secret_in
from shopsphere.residency.looking import PlaceReport, Verdict

ALGORITHM = "Ed25519"
NOT_SEARCHED = {
    "what TLS carries between places": "it is encrypted for the two ends, whose memory and stores are searched instead",
    "the payment provider": "an outside party that each jurisdiction's payments name on purpose; it has a contract",
    "blocks that PostgreSQL has compressed (pglz, lz4)": "they carry no mark; the dump shows their values",
    "zip archives, encrypted files": "they are not opened",
    "the memory of programs other than the CDN's cache": "what they keep is in the stores that are searched",
    "kernels, switches, customers' own machines": "they belong to no site",
}
"""What no proof of this kind has seen, and why."""


class EvidenceError(ShopSphereError):
    """A report is not what was signed, or nobody knows who signed it."""


class Evidence(BaseModel):
    """What a proof has shown.

    Attributes:
        environment: where.
        by: who ran it.
        at: when, in ISO 8601.
        planted: when the customers were planted, in ISO 8601.
        tokens: names of the tokens, by jurisdiction; never their values.
        planting: SHA-256 of the file of tokens, by which its keeper can show that it is the one.
        forms: in how many forms a token was looked for, all tokens together.
        orders: rounds of orders that were made while the links were listened to.
        places: what was seen at each.
        not_searched: what was not looked at, and why.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: str
    by: str
    at: str
    planted: str
    tokens: dict[str, tuple[str, ...]]
    planting: str
    forms: int
    orders: int
    places: tuple[PlaceReport, ...]
    not_searched: dict[str, str] = NOT_SEARCHED

    @property
    def verdict(self) -> Verdict:
        """A proof is clean only when every place is; of no place at all nothing is known."""
        verdicts = {each.verdict for each in self.places}
        if Verdict.LEAK in verdicts:
            return Verdict.LEAK
        return Verdict.CLEAN if verdicts == {Verdict.CLEAN} else Verdict.NOT_PROVEN

    @property
    def exit_code(self) -> ExitCode:
        """As drift has it: what is live is not what is declared, or not everything could be seen."""
        return {
            Verdict.LEAK: ExitCode.CHANGES,
            Verdict.NOT_PROVEN: ExitCode.UNKNOWN,
            Verdict.CLEAN: ExitCode.GOOD,
        }[self.verdict]


class _Signature(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    algorithm: Literal["Ed25519"]
    public_key: str
    value: str


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    evidence: dict[str, Any]
    signature: _Signature


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def operator_key(file: Path) -> Ed25519PrivateKey:
    """Return the operator's key, made the first time; its seed is a file that only its owner reads."""
    return Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(secret_in(file) + "="))


def public_of(key: Ed25519PrivateKey) -> str:
    """Return the public half, in base64: what others keep to check signatures."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def signed(evidence: Evidence, key: Ed25519PrivateKey) -> str:
    """Return the report with its signature, as a JSON document."""
    content = {**evidence.model_dump(mode="json"), "verdict": evidence.verdict.value}
    signature = {
        "algorithm": ALGORITHM,
        "publicKey": public_of(key),
        "value": base64.b64encode(key.sign(_canonical(content))).decode(),
    }
    return json.dumps({"evidence": content, "signature": signature}, indent=2, ensure_ascii=False) + "\n"


def verify(text: str, public_key: str) -> Evidence:
    """Return the report in a document when the holder of a key has signed it as it is.

    Args:
        text: the document.
        public_key: of whoever is trusted, in base64; the one in the document proves nothing by itself.

    Raises:
        EvidenceError: it was signed by somebody else, was changed, or is no such document.
    """
    try:
        document = _Document.model_validate_json(text)
        content = dict(document.evidence)
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        value = base64.b64decode(document.signature.value, validate=True)
        key.verify(value, _canonical(content))
        stated = content.pop("verdict")
        evidence = Evidence.model_validate(content)
    except InvalidSignature as error:
        raise _refused("a signature of this key over exactly this report", "another signature") from error
    except (ValueError, LookupError, TypeError, AttributeError, ValidationError) as error:
        found = f"{type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else ''}"
        raise _refused("what `shopsphere residency prove` writes, and a public key in base64", found) from error
    if stated != evidence.verdict:
        raise _refused(f"the verdict {evidence.verdict}, which follows from the places", str(stated))
    return evidence


def _canonical(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _refused(expected: str, found: str) -> ShopSphereError:
    return EvidenceError.build(
        "the evidence cannot be relied on",
        expected=expected,
        found=found,
        action="ask whoever ran the proof for the document as it was written, and for their public key",
    )
