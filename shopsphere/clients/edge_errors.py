"""What can go wrong between a declaration and the services at the edge."""

from __future__ import annotations

from shopsphere.foundation.errors import ShopSphereError


class EdgeError(ShopSphereError):
    """Root of all errors of the edge."""


class ServiceError(EdgeError):
    """A DNS authority or the CDN did not answer, or refused a call."""


class UnknownOutcomeError(ServiceError):
    """A change was sent, and no answer says what became of it: it may stand, or come to stand a moment later."""


class CredentialError(EdgeError):
    """The file with a service's key cannot be used."""


class AdoptionError(EdgeError):
    """Something of that name exists already and is not what is declared."""


class VerificationError(EdgeError):
    """A service accepted a change and then shows something else."""


class PairStateError(EdgeError):
    """A pair's state record does not allow the change; roles are moved by runbooks only."""
