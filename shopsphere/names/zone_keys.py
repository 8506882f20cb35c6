"""Keys that sign a zone: one for everything (CSK), ECDSA P-256, kept as files by whoever may deploy the edge.

Every authority signs by itself, at the moment of the answer, and all of them hold the same keys: so it does not matter
which of them a resolver asks, and steered answers are signed like all others. An authority gives a private key to
nobody, so that the file is needed to bring a key to an authority that lost its store.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import dns.dnssec
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from dns.rdtypes.ANY.DNSKEY import DNSKEY
from dns.rdtypes.ANY.DS import DS

from shopsphere.clients.edge_errors import EdgeError
from shopsphere.foundation.files import write_whole

ALGORITHM = "ECDSAP256SHA256"
"""RFC 8624: to be used for signing; its signatures are short, so that an answer with two of them fits in 1232 bytes."""
FOLDER = "zone-keys"
"""Below the folder of the edge's keys."""
ALGORITHM_NUMBER = 13
DIGESTS = {1: "SHA1", 2: "SHA256", 4: "SHA384"}
"""Types of digests in a DS that can be computed here; resolvers ignore the first more and more (RFC 8624, 3.3)."""
RETIRED = "retired"
"""File beside the keys: a line for each key that must never sign again, with its tag and its DNSKEY."""
_CSK_FLAGS = 257
_P256_BYTES = 32
_TRIES = 200


class ZoneKeyError(EdgeError):
    """A zone cannot be signed as it is declared."""


@dataclass(frozen=True)
class ZoneKey:
    """The public half of a key.

    Attributes:
        dnskey: as the zone publishes it: flags, protocol, algorithm and the key in base64.
    """

    dnskey: str

    @cached_property
    def rdata(self) -> DNSKEY:
        """The record.

        Raises:
            ZoneKeyError: it cannot be read.
        """
        try:
            found = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.DNSKEY, self.dnskey)
        except (ValueError, dns.exception.DNSException) as error:
            raise ZoneKeyError(f"{self.dnskey[:80]!r} is no DNSKEY: {error}") from error
        if not isinstance(found, DNSKEY):
            raise ZoneKeyError(f"{self.dnskey[:80]!r} is no DNSKEY")
        return found

    @classmethod
    def of(cls, rdata: DNSKEY) -> ZoneKey:
        """Return the key of a record."""
        public = base64.b64encode(rdata.key).decode()
        return cls(f"{rdata.flags} {rdata.protocol} {int(rdata.algorithm)} {public}")

    @property
    def tag(self) -> int:
        """Number by which signatures name it (RFC 4034, appendix B)."""
        return dns.dnssec.key_id(self.rdata)

    @property
    def described(self) -> str:
        """Its tag, and what kind it is where that is not ours."""
        kind = f"{dns.dnssec.algorithm_to_text(self.rdata.algorithm)}, flags {int(self.rdata.flags)}"
        return f"key {self.tag}" if kind == f"{ALGORITHM}, flags {_CSK_FLAGS}" else f"key {self.tag} ({kind})"

    def ds(self, zone: str, digest: int = 2) -> str:
        """Return what the parent zone says of it: tag, algorithm, type of digest and digest.

        Args:
            zone: fully qualified.
            digest: type, one of `DIGESTS`; a registrar is told that of SHA-256.
        """
        name, policy = dns.name.from_text(zone), dns.dnssec.allow_all_policy
        return ds_text(dns.dnssec.make_ds(name, self.rdata, DIGESTS[digest], policy=policy))


def ds_text(record: DS) -> str:
    """Return a DS as texts of it are compared: small letters, one digest without spaces."""
    return f"{record.key_tag} {int(record.algorithm)} {int(record.digest_type)} {record.digest.hex()}"


def make_key(folder: Path, tell: Callable[[ZoneKey], object] = lambda _key: None) -> ZoneKey:
    """Make a key and keep it.

    Args:
        folder: with one file per key, named by its tag.
        tell: called with its public half before its file is written, so that no file is there that nobody knows of.

    Raises:
        ZoneKeyError: files are there for so many tags that none is found which is free.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    private = _free_key(folder)
    key = _public(private)
    tell(key)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    write_whole(key_file(folder, key), pem, mode=0o600)
    return key


def _free_key(folder: Path) -> EllipticCurvePrivateKey:
    retired = retired_keys(folder)
    tags = {ZoneKey(each).tag for each in retired}
    for tries in range(_TRIES):
        private = generate_private_key(SECP256R1())
        key = _public(private)
        # Tags have 16 bits: people mistake two keys of one, so a retired key's is taken only where others are rare.
        is_rare = tries >= _TRIES // 2
        if key.dnskey not in retired and not key_file(folder, key).exists() and (is_rare or key.tag not in tags):
            return private
    raise ZoneKeyError.build(
        "no key of the zone can be made: there are files for nearly all tags",
        expected=f"a few files TAG.pem in {folder}",
        found=f"{len(list(folder.glob('*.pem')))}",
        action="move those away that nobody needs (docs/zone-keys.md)",
    )


def key_file(folder: Path, key: ZoneKey) -> Path:
    """Return where the private half of a key is kept, whether it is there or not."""
    return folder / f"{key.tag}.pem"


def retired_keys(folder: Path) -> frozenset[str]:
    """Return the DNSKEYs that must never sign again, whatever files are in the folder.

    Raises:
        ZoneKeyError: the record cannot be read.
    """
    file = folder / RETIRED
    try:
        lines = file.read_text().splitlines() if file.exists() else []
        return frozenset(_tagged(line) for line in lines)
    except (OSError, ValueError, ZoneKeyError) as error:
        raise ZoneKeyError.build(
            "which keys of the zone were retired cannot be read",
            expected=f"lines `TAG DNSKEY` in {file}",
            found=str(error),
            action="bring the file back from where keys are kept; without it a stolen key may sign again",
        ) from error


def _tagged(line: str) -> str:
    tag, _, dnskey = line.partition(" ")
    if tag != str(ZoneKey(dnskey).tag):
        raise ZoneKeyError(f"{line[:80]!r}: the tag is not that of the key")
    return dnskey


def retire(folder: Path, key: ZoneKey) -> None:
    """Note that a key must never sign again; its file may come back from a copy. Its files here stay.

    Raises:
        ZoneKeyError: the record cannot be read.
    """
    retire_all(folder, {key.dnskey})


def retire_all(folder: Path, dnskeys: AbstractSet[str]) -> None:
    """Note keys that must never sign again, as another machine has retired them; see `retire`."""
    known = retired_keys(folder)
    if not dnskeys <= known:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        lines = sorted(f"{ZoneKey(each).tag} {each}" for each in {*known, *dnskeys})
        write_whole(folder / RETIRED, "\n".join([*lines, ""]), mode=0o600)


def discard(folder: Path, key: ZoneKey) -> None:
    """Remove every file with a key, whatever it is called.

    Raises:
        ZoneKeyError: a file holds something else than a key.
    """
    for file in sorted(folder.glob("*.pem")):
        if _public(_read(file)) == key:
            file.unlink()


def kept_keys(folder: Path) -> dict[str, Path]:
    """Return the file of each key in a folder, by its DNSKEY.

    Raises:
        ZoneKeyError: a file holds something else.
    """
    return {_public(_read(file)).dnskey: file for file in sorted(folder.glob("*.pem"))}


def private_key(file: Path) -> EllipticCurvePrivateKey:
    """Return the private half of a key.

    Raises:
        ZoneKeyError: there is no such file, or it holds something else.
    """
    return _read(file)


def private_text(file: Path) -> str:
    """Return a key as an authority takes it: the private-key format of BIND, version 1.2.

    Raises:
        ZoneKeyError: there is no such file, or it holds something else.
    """
    number = _read(file).private_numbers().private_value.to_bytes(_P256_BYTES, "big")
    secret = base64.b64encode(number).decode()
    return f"Private-key-format: v1.2\nAlgorithm: {ALGORITHM_NUMBER} ({ALGORITHM})\nPrivateKey: {secret}\n"


def _public(private: EllipticCurvePrivateKey) -> ZoneKey:
    return ZoneKey.of(dns.dnssec.make_dnskey(private.public_key(), ALGORITHM, flags=_CSK_FLAGS))


def _read(file: Path) -> EllipticCurvePrivateKey:
    try:
        found = load_pem_private_key(file.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise ZoneKeyError.build(
            "a key of the zone cannot be read",
            expected=f"a private key as PEM in {file}",
            found=str(error),
            action="bring the file back from where keys are kept (docs/zone-keys.md)",
        ) from error
    if not isinstance(found, EllipticCurvePrivateKey) or not isinstance(found.curve, SECP256R1):
        raise ZoneKeyError(f"{file} is no key of {ALGORITHM}")
    return found
