"""A line of a host that takes only so much in each direction, with the kernel's own shaping in the host's namespace."""

from collections.abc import Callable, Sequence

from shopsphere.foundation.process import CommandError

INCOMING = "bench-incoming"
"""A link that what comes in is led through: only what goes out of a link can be shaped."""
_QUEUE = ("burst", "32kb", "latency", "400ms")
Inside = Callable[[Sequence[str]], str]
"""Runs a command in the host's namespaces and returns what it printed; CommandError where it failed."""


class SlowLine:
    """Shapes one link of a host.

    Args:
        interface: the link.
        inside: runs commands in the host.
    """

    def __init__(self, interface: str, inside: Inside) -> None:
        self._interface, self._inside = interface, inside

    @property
    def is_left(self) -> bool:
        """Whether something is shaped still."""
        return INCOMING in self._inside(["ip", "-o", "link", "show"])

    def slow(self, kilobits: int) -> None:
        """Let no more than so many kilobits a second pass, each way.

        Raises:
            CommandError: this kernel cannot, and nothing is shaped.
        """
        rate = ("tbf", "rate", f"{kilobits}kbit", *_QUEUE)
        way = ("action", "mirred", "egress", "redirect", "dev", INCOMING)
        commands = (
            ("ip", "link", "add", INCOMING, "type", "ifb"),
            ("ip", "link", "set", INCOMING, "up"),
            ("tc", "qdisc", "add", "dev", INCOMING, "root", *rate),
            ("tc", "qdisc", "add", "dev", self._interface, "ingress"),
            ("tc", "filter", "add", "dev", self._interface, "parent", "ffff:", "protocol", "all", "u32", "match", "u32",
             "0", "0", *way),
            ("tc", "qdisc", "add", "dev", self._interface, "root", *rate),
        )  # fmt: skip
        try:
            for each in commands:
                self._inside(each)
        except CommandError:
            self.lift()
            raise

    def lift(self) -> None:
        """Let everything pass again; nothing happens where nothing is shaped.

        Raises:
            CommandError: it is shaped still.
        """
        if not self.is_left:
            return
        for kind in ("root", "ingress"):
            if "tbf" in self._shown() or kind == "ingress":
                self._try("tc", "qdisc", "del", "dev", self._interface, kind)
        self._inside(["ip", "link", "del", INCOMING])
        if "tbf" in self._shown():
            raise CommandError(f"{self._interface} is slow still\n  do: tc qdisc del dev {self._interface} root")

    def _shown(self) -> str:
        return self._inside(["tc", "qdisc", "show", "dev", self._interface])

    def _try(self, *command: str) -> None:
        try:
            self._inside(command)
        except CommandError as error:
            if "No such file" not in str(error) and "zero handle" not in str(error) and "Invalid" not in str(error):
                raise
