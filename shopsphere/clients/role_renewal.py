"""A new certificate for a role at a site's API server: asked for with a new key, approved by the cluster's owner.

No role may ask for certificates by itself: whoever had its key could ask for others. So this says what the owner of the
cluster types, and takes what the cluster has signed. The key never leaves this machine.
"""

from __future__ import annotations

import base64
import hashlib
import re
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shopsphere.clients.kubeconfig_ends import CERTIFICATE, KEY, user_in
from shopsphere.estate.access import SiteAccess
from shopsphere.estate.cluster_role import Role
from shopsphere.estate.kubectl_line import OWNERS_KUBECONFIG, SiteKubectl
from shopsphere.foundation.errors import ShopSphereError, UsageError
from shopsphere.foundation.files import write_whole

_SIGNER = "kubernetes.io/kube-apiserver-client"


class RenewalError(ShopSphereError):
    """The certificate of a role cannot be renewed like this."""


@dataclass(frozen=True)
class RoleLogin:
    """How one role logs in at one site.

    Attributes:
        file: its kubeconfig.
        context: of the site in it.
        site: name of the site.
        role: as whom.
    """

    file: Path
    context: str
    site: str
    role: Role

    @classmethod
    def of(cls, access: SiteAccess, site: str, role: Role) -> RoleLogin:
        """Return it as the site's stack file says.

        Raises:
            UsageError: the role has no kubeconfig of its own there.
        """
        named, key = access.kubeconfig_of(role)
        if not named or key != role.key:
            raise UsageError.build(
                f"{site}: {role} has no kubeconfig of its own",
                expected=f"{role.key} in the site's stack file",
                found=f"it logs in with {key}" if named else "no stack file",
                action=f"renew that one, with --role {Role.UP}" if named else "set the site up here",
            )
        return cls(Path(named).expanduser(), access.context or site, site, role)

    @property
    def new_key(self) -> Path:
        """Where the new key waits until its certificate is there."""
        return self.file.with_name(f"{self.file.name}.{self.context}.new-key")

    def typed(self) -> str:
        """Return what the owner of the cluster types, as commands of a shell; the new key stays here.

        Raises:
            RenewalError: it logs in without a certificate, or its kubeconfig cannot be used.
        """
        subject, key = self._present(self._document()).subject, self._made_key()
        request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
        text = base64.b64encode(request.public_bytes(serialization.Encoding.PEM)).decode()
        digest = hashlib.sha256(request.public_bytes(serialization.Encoding.DER)).hexdigest()[:8]
        name = f"{re.sub('[^a-z0-9]+', '-', f'shopsphere-{self.role}-{self.site}'.lower())}-{digest}"
        asked = {
            "apiVersion": "certificates.k8s.io/v1",
            "kind": "CertificateSigningRequest",
            "metadata": {"name": name},
            "spec": {"request": text, "signerName": _SIGNER, "usages": ["client auth"]},
        }
        kubectl = SiteKubectl("", self.site, owners=OWNERS_KUBECONFIG).line(None, "")
        return (
            f"# {subject.rfc4514_string()}\n"
            f"{kubectl} create -f - <<'END'\n{yaml.safe_dump(asked, sort_keys=False, width=10_000)}END\n"
            f"{kubectl} certificate approve {name}\n"
            f"{kubectl} wait csr {name} --for=jsonpath='{{.status.certificate}}' --timeout=60s\n"
            f"{kubectl} get csr {name} -o jsonpath='{{.status.certificate}}' | base64 -d > {name}.crt\n"
        )

    def take(self, signed: Path) -> datetime:
        """Put a certificate that the cluster has signed, and its key, into the kubeconfig; returns when it ends (UTC).

        Raises:
            RenewalError: it is none, is not of the new key, or is not what was asked for.
        """
        document = self._document()
        before, made = self._present(document), self._signed(signed)
        if _names(made) != _names(before):
            raise self._refused(
                f"a certificate of {before.subject.rfc4514_string()}",
                made.subject.rfc4514_string(),
                "take the right one",
            )
        if made.not_valid_after_utc <= max(before.not_valid_after_utc, datetime.now(UTC)):
            raise self._refused(
                f"one that lasts longer than the present one, to {before.not_valid_after_utc:%Y-%m-%d %H:%M} UTC",
                f"it ends {made.not_valid_after_utc:%Y-%m-%d %H:%M} UTC",
                "ask the owner of the cluster for a longer one",
            )
        user = user_in(document, self.context)
        for name in (CERTIFICATE, KEY):
            user.pop(name, None)
        user[f"{CERTIFICATE}-data"] = base64.b64encode(made.public_bytes(serialization.Encoding.PEM)).decode()
        user[f"{KEY}-data"] = base64.b64encode(self.new_key.read_bytes()).decode()
        try:
            was = self.file.stat()
            text = yaml.safe_dump(document, sort_keys=False)
            write_whole(self.file, text, mode=stat.S_IMODE(was.st_mode), owner=(was.st_uid, was.st_gid))
            self.new_key.unlink()
        except OSError as error:
            raise self._not_written(error) from error
        return made.not_valid_after_utc

    def _signed(self, file: Path) -> x509.Certificate:
        try:
            made = x509.load_pem_x509_certificate(file.read_bytes())
        except (OSError, ValueError) as error:
            raise self._refused(
                f"a certificate in {file}", f"{type(error).__name__}: {error}", "fetch it again"
            ) from error
        if not self.new_key.exists() or self._made_key().public_key() != made.public_key():
            raise self._refused(
                f"the certificate of the key in {self.new_key}",
                "that of another one" if self.new_key.exists() else "no such key",
                "call the same command without --signed, and let what it says be approved",
            )
        return made

    def _made_key(self) -> ec.EllipticCurvePrivateKey:
        """Return the new key, the same one until it is used."""
        if not self.new_key.exists():
            form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            text = ec.generate_private_key(ec.SECP256R1()).private_bytes(serialization.Encoding.PEM, *form).decode()
            try:
                write_whole(self.new_key, text, mode=0o600)
            except OSError as error:
                raise self._not_written(error) from error
        found = serialization.load_pem_private_key(self.new_key.read_bytes(), None)
        if not isinstance(found, ec.EllipticCurvePrivateKey):
            raise self._refused(f"a key of an elliptic curve in {self.new_key}", "another one", "remove it")
        return found

    def _document(self) -> Any:
        try:
            return yaml.safe_load(self.file.read_text())
        except (OSError, yaml.YAMLError) as error:
            raise self._refused(
                f"a kubeconfig {self.file}", f"{type(error).__name__}: {error}", "make it anew"
            ) from error

    def _present(self, document: Any) -> x509.Certificate:
        """Return the certificate with which it logs in now."""
        try:
            user = user_in(document, self.context)
            if data := user.get(f"{CERTIFICATE}-data"):
                return x509.load_pem_x509_certificate(base64.b64decode(data))
            return x509.load_pem_x509_certificate((self.file.parent / str(user[CERTIFICATE])).read_bytes())
        except (OSError, KeyError, TypeError, ValueError, StopIteration) as error:
            raise self._refused(
                f"a certificate of context {self.context} in {self.file}",
                f"{type(error).__name__}: {error}",
                "who logs in otherwise has none to renew; else make the file anew (docs/production.md, step 2)",
            ) from error

    def _not_written(self, error: OSError) -> ShopSphereError:
        return self._refused(
            f"to write in {self.file.parent}", str(error), "call it as the owner of the file, or as root"
        )

    def _refused(self, expected: str, found: str, action: str) -> ShopSphereError:
        return RenewalError.build(
            f"{self.site}: the certificate of {self.role} was not renewed",
            expected=expected,
            found=found,
            action=action,
        )


def _names(certificate: x509.Certificate) -> list[tuple[str, str]]:
    """Return what a subject says, in any order: the cluster signs the same names in an order of its own."""
    return sorted((each.oid.dotted_string, str(each.value)) for each in certificate.subject)
