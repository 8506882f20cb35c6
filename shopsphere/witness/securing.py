"""Users and roles of a witness, as `shopsphere.witness.users` declares them: set, compared, and looked after.

Until this was done once, whoever has a certificate of the witness's authority may do everything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from shopsphere.witness.gateway import WitnessRefusedError
from shopsphere.witness.identity import Identity
from shopsphere.witness.store import Store, after, encoded
from shopsphere.witness.users import ROOT, Right, Rights, role_of
from shopsphere.witness.voter import Voter

_EXISTS = 9  # gRPC FAILED_PRECONDITION: the user or role is there already
_WRONG_PASSWORD = 3  # gRPC INVALID_ARGUMENT
_COMPACTED = 11  # gRPC OUT_OF_RANGE: somebody did it already
_DEFRAGMENT_SECONDS = 30.0


@dataclass(frozen=True)
class Administrator:
    """Whoever has the keys of root.

    Args:
        store: the witness, asked as root.
        told: gets a line per change.
    """

    store: Store
    told: Callable[[str], object]

    def secure(self, users: Mapping[str, Rights], identity: Callable[[str], Identity]) -> None:
        """Bring users, passwords and rights to what is declared, then let nobody in without them; repeatable.

        Rights that are not declared, and users that are not, are taken away.

        Args:
            users: beside root.
            identity: returns a user's files.

        Raises:
            WitnessUnreachableError: no quorum answered; what was done so far stays, and the same call goes on.
        """
        passwords = {user: identity(user).password() for user in (ROOT, *users)}  # one that is missing ends it here
        there, roles = self._listed("user"), self._listed("role")
        for user in (ROOT, *users):
            if user not in there:
                self._add_user(user, passwords[user])
            if role_of(user) not in roles:
                self.store.call("/v3/auth/role/add", {"name": role_of(user)}, accept=_EXISTS)
            if user != ROOT:
                self._set_rights(role_of(user), users[user])
            self._grant_role(user)
        if not self.store.call("/v3/auth/status", {}).get("enabled"):
            # A root that was added before may have another password; nobody could get in to set it any more.
            self.store.call("/v3/auth/user/changepw", {"name": ROOT, "password": passwords[ROOT]})
            self.store.call("/v3/auth/enable", {})
            self.told("nobody gets in without a user from now on")
        for user in self._listed("user"):
            if user not in {ROOT, *users}:
                self.store.call("/v3/auth/user/delete", {"name": user})
                self.told(f"user {user}: removed, it is not declared")
        for user in users:
            self._check_password(user, passwords[user])

    def tend(self) -> list[Voter]:
        """Free what is not needed any more at each voter, one after the other, end alarms, and return how they are.

        A voter answers nobody while it is cleaned up: so never two at once, and none while another takes no part.

        Raises:
            WitnessRefusedError: a voter takes no part, so that none can be spared; or one went away at its turn.
            WitnessUnreachableError: no quorum answered.
        """
        voters = self.store.each_voter()
        missing = [f"{each.url} ({each.problem})" for each in voters if each.problem and "ALARM" not in each.problem]
        if missing:
            raise WitnessRefusedError.build(
                "the witness was not cleaned up",
                expected="every voter to take part: one of them is busy with itself meanwhile",
                found=f"not {', '.join(missing)}",
                action="bring them back first",
            )
        newest = int(self.store.call("/v3/kv/range", {"key": encoded("/")})["header"]["revision"])
        self.store.call("/v3/kv/compaction", {"revision": str(newest), "physical": True}, accept=_COMPACTED)
        left = [problem for each in voters if (problem := self._defragment(each.url))]
        for alarm in self.store.call("/v3/maintenance/alarm", {"action": "GET"}).get("alarms", []):
            self.store.call("/v3/maintenance/alarm", {**alarm, "action": "DEACTIVATE"})
            self.told(f"alarm {alarm.get('alarm')} ended")
        if left:
            raise WitnessRefusedError.build(
                "not every voter was cleaned up",
                expected="an answer of each; the others were cleaned up, and alarms ended",
                found="; ".join(left),
                action="bring it back, then call the same command again",
            )
        return self.store.each_voter()

    def _defragment(self, url: str) -> str:
        """Clean one voter up; return what kept it from that."""
        try:
            answer = self.store.gateway.post(url, "/v3/maintenance/defragment", {}, seconds=_DEFRAGMENT_SECONDS)
        except httpx.HTTPError as error:
            return f"{url}: {type(error).__name__}"
        if not answer.is_success:
            return f"{url}: {answer.text.strip()[:200]}"
        self.told(f"{url}: cleaned up")
        return ""

    def _add_user(self, user: str, password: str) -> None:
        self.store.call("/v3/auth/user/add", {"name": user, "password": password}, accept=_EXISTS)
        self.told(f"user {user}: added")

    def _grant_role(self, user: str) -> None:
        """Give a user its role and no other."""
        own, given = role_of(user), self.store.call("/v3/auth/user/get", {"name": user}).get("roles", [])
        for role in given:
            if role != own:
                self.store.call("/v3/auth/user/revoke", {"name": user, "role": role})
                self.told(f"user {user}: role {role} taken away")
        if own not in given:
            self.store.call("/v3/auth/user/grant", {"user": user, "role": own})

    def _set_rights(self, role: str, rights: Rights) -> None:
        wanted = {_permission(key, right) for key, right in rights.items()}
        answer = self.store.call("/v3/auth/role/get", {"role": role})
        found = {
            (str(each.get("permType", "READ")), str(each.get("key", "")), str(each.get("range_end", "")))
            for each in answer.get("perm", [])
        }
        for kind, key, end in sorted(wanted - found):  # first: an agent must not be without a right for a moment
            permission = {"permType": kind, "key": key, "range_end": end}
            self.store.call("/v3/auth/role/grant", {"name": role, "perm": permission})
        kept = {(key, end) for _, key, end in wanted}  # granting has replaced another right to the same keys
        for kind, key, end in sorted(found - wanted):
            if (key, end) not in kept:
                self.store.call("/v3/auth/role/revoke", {"role": role, "key": key, "range_end": end})
            self.told(f"role {role}: a right to {kind} taken away")

    def _check_password(self, user: str, password: str) -> None:
        """Set the password that is in the user's file, unless it is the user's already."""
        credentials = {"name": user, "password": password}
        answer = self.store.call("/v3/auth/authenticate", credentials, accept=_WRONG_PASSWORD)
        if "token" not in answer:
            self.store.call("/v3/auth/user/changepw", credentials)
            self.told(f"user {user}: password changed")

    def _listed(self, kind: str) -> list[str]:
        """Return the users or roles that are there."""
        found: list[str] = self.store.call(f"/v3/auth/{kind}/list", {}).get(f"{kind}s", [])
        return found


def _permission(key: str, right: Right) -> tuple[str, str, str]:
    return right.value, encoded(key), encoded(after(key)) if key.endswith("/") else ""
