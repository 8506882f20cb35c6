"""Reads the machine's own apt configuration, so that images come from where the machine's packages come from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.process import run

APT = Path("/etc/apt")
OS_RELEASE = Path("/etc/os-release")
SUPPORTED_CODENAME = "bookworm"


class AptSourcesError(ShopSphereError):
    """The machine's package archives cannot be used for images."""


@dataclass(frozen=True)
class Source:
    """One archive, suite and its components, as in a line of sources.list."""

    location: str
    suite: str
    components: tuple[str, ...]
    options: tuple[str, ...] = field(default=())

    def line(self) -> str:
        """Write it in the one-line form."""
        options = f"[{' '.join(self.options)}] " if self.options else ""
        return f"deb {options}{self.location} {self.suite} {' '.join(self.components)}"


def debian_sources(apt: Path = APT, codename: str = SUPPORTED_CODENAME) -> list[Source]:
    """Find the machine's sources of Debian `codename`; archives of other makers are left out.

    Raises:
        AptSourcesError: none is configured.
    """
    found: list[Source] = []
    for file in [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]:
        if file.is_file() and file.suffix == ".sources":
            found += parse_deb822(file.read_text())
        elif file.is_file() and file.suffix == ".list":
            found += parse_lines(file.read_text())
    suites = {codename, f"{codename}-updates", f"{codename}-security", f"{codename}/updates"}
    chosen = [source for source in found if source.suite in suites]
    if not any(source.suite == codename for source in chosen):
        raise AptSourcesError.build(
            "the images cannot be built from this machine's package archives",
            expected=f"a deb source of suite {codename} in {apt}/sources.list or {apt}/sources.list.d/",
            found=", ".join(sorted({source.suite for source in found})) or "no source at all",
            action="use Debian 12, or add its archive to the machine's apt sources",
        )
    return chosen


def parse_lines(text: str) -> list[Source]:
    """Parse the one-line form (`deb [options] location suite components`)."""
    found = []
    for line in text.splitlines():
        match = re.fullmatch(r"deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]+?)\s*(?:#.*)?", line.strip())
        if match:
            options, location, suite, components = match.groups()
            found.append(Source(location, suite, tuple(components.split()), tuple((options or "").split())))
    return found


def parse_deb822(text: str) -> list[Source]:
    """Parse the paragraph form (`Types:`, `URIs:`, `Suites:`, `Components:`, `Signed-By:`)."""
    found = []
    for paragraph in re.split(r"\n\s*\n", text):
        lines = [line for line in paragraph.splitlines() if not line.startswith("#")]
        fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.*)$", "\n".join(lines), re.MULTILINE))
        values = {name.lower(): value.strip() for name, value in fields.items()}
        if "deb" not in values.get("types", "").split() or values.get("enabled", "yes").lower() in {"no", "false"}:
            continue
        # A key written out in the paragraph has an empty first line: mmdebstrap then finds the keyring by itself.
        options = tuple(
            f"{option}={values[option]}"
            for option in ("signed-by", "trusted", "check-valid-until")
            if values.get(option)
        )
        components = tuple(values.get("components", "").split())
        found += [
            Source(location, suite, components, options)
            for location in values.get("uris", "").split()
            for suite in values.get("suites", "").split()
        ]
    return found


def transport_options() -> list[str]:
    """Proxy, certificate and validity settings of the machine's apt, for mmdebstrap's own apt."""
    dump = run(["apt-config", "dump"], seconds=30).stdout
    pattern = r"Acquire::(?:https?::(?:Proxy\S*|CaInfo|Verify-\S+)|Check-Valid-Until|Retries)\s+\"[^\"]+\";"
    return [line.rstrip(";") for line in re.findall(pattern, dump)]
