"""The event log's image: Kafka's pinned jars, and a Java runtime of what they need.

The Debian packages of the Java development kit are there while the runtime is linked, and then taken away.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.component import Component
from packageurl import PackageURL

from lab.images.archive import files_digest
from lab.packages import ensure_packages
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.process import run

SOURCES = Path(__file__).with_name("kafka")
LOCK = SOURCES / "jars.lock"
DEVELOPMENT_KIT = "usr/lib/jvm/java-17-openjdk-amd64"
RUNTIME = "opt/java"
PLACE = "opt/kafka"
MODULES = (
    "java.base", "java.desktop", "java.logging", "java.management", "java.naming", "java.security.jgss",
    "java.security.sasl", "java.sql", "java.xml", "jdk.crypto.ec", "jdk.management", "jdk.unsupported", "jdk.zipfs",
)  # fmt: skip
"""What Kafka's classes refer to; java.desktop is there for java.beans alone, and draws nothing."""
MAVEN_SECONDS = 900
LINK_SECONDS = 300
_LINE = re.compile(r"(?P<digest>[0-9a-f]{64})  (?P<group>[\w.-]+):(?P<artifact>[\w.-]+):(?P<version>[\w.-]+)")


class JarsError(ShopSphereError):
    """The jars are not those that the lock has."""


@dataclass(frozen=True, order=True)
class Jar:
    """One file of the lock."""

    group: str
    artifact: str
    version: str
    digest: str

    @property
    def file(self) -> str:
        """Its name."""
        return f"{self.artifact}-{self.version}.jar"


def locked_jars(lock: Path = LOCK) -> tuple[Jar, ...]:
    """Read the lock.

    Raises:
        JarsError: a line is none of a lock.
    """
    found = []
    for number, line in enumerate(lock.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        matched = _LINE.fullmatch(line)
        if matched is None:
            raise JarsError.build(
                f"{lock}, line {number}, is not of a lock",
                expected="SHA-256 in hex, two spaces, GROUP:ARTIFACT:VERSION",
                found=repr(line),
                action="take the file from the repository again",
            )
        found.append(Jar(matched["group"], matched["artifact"], matched["version"], matched["digest"]))
    return tuple(found)


def sources_digest() -> str:
    """Hash of what the image is made from, its packages aside."""
    own = Path(__file__).read_bytes()
    return files_digest(sorted(SOURCES.iterdir()), SOURCES) + hashlib.sha256(own).hexdigest()


def install(root: Path, log: Path) -> None:
    """Put jars and runtime into a root file system that has the development kit, and take that away.

    Raises:
        JarsError: a jar is another than the lock has.
        CommandError: Maven or jlink failed.
    """
    fetch_jars(root / PLACE / "libs", log)
    shutil.copyfile(SOURCES / "log4j2.xml", root / PLACE / "log4j2.xml")
    link_runtime(root, log)
    for leftover in ("usr/lib/jvm", "etc/java-17-openjdk"):
        shutil.rmtree(root / leftover)


def fetch_jars(target: Path, log: Path) -> None:
    """Let Maven fetch what pom.xml says, by its own settings, and keep exactly the files that the lock has.

    Raises:
        JarsError: another set of files, or another content.
        CommandError: Maven could not fetch them.
    """
    ensure_packages(["maven"])
    target.mkdir(parents=True)
    work = log.with_name("maven")
    work.mkdir(exist_ok=True)
    shutil.copyfile(SOURCES / "pom.xml", work / "pom.xml")
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={target}"]
    run(["mvn", "--batch-mode", "--quiet", *goal], cwd=work, seconds=MAVEN_SECONDS, log=log)
    check_jars(target, locked_jars())


def check_jars(folder: Path, wanted: tuple[Jar, ...]) -> None:
    """Compare a folder's files with a lock, and give them times and modes that say nothing of this machine.

    Raises:
        JarsError: lists what is missing, is too much, or has another content.
    """
    problems = list(_differences(folder, {jar.file: jar.digest for jar in wanted}))
    if problems:
        raise JarsError.build(
            "Kafka's jars are not those that were pinned",
            expected=f"the {len(wanted)} files of {LOCK.name}",
            found="; ".join(problems),
            action="look at what the archive that Maven asks has changed; nothing was kept",
        )
    for jar in wanted:
        (folder / jar.file).chmod(0o644)
        os.utime(folder / jar.file, (0, 0))


def _differences(folder: Path, wanted: Mapping[str, str]) -> Iterator[str]:
    there = {file.name: file for file in folder.iterdir()}
    yield from (f"{name} is missing" for name in sorted(wanted.keys() - there.keys()))
    yield from (f"{name} is not in the lock" for name in sorted(there.keys() - wanted.keys()))
    for name in sorted(wanted.keys() & there.keys()):
        digest = hashlib.sha256(there[name].read_bytes()).hexdigest()
        if digest != wanted[name]:
            yield f"{name} has SHA-256 {digest}"


def link_runtime(root: Path, log: Path) -> None:
    """Link a runtime of the modules inside the root file system, with its own jlink.

    There is no /proc, by which a program finds its libraries: it is told where they are.
    """
    kit = f"/{DEVELOPMENT_KIT}"
    options = ["--strip-java-debug-attributes", "--no-header-files", "--no-man-pages", "--compress=2"]
    command: list[str | Path] = [
        "chroot", root, "/usr/bin/env", "-i", "PATH=/usr/bin:/bin", f"LD_LIBRARY_PATH={kit}/lib", f"{kit}/bin/jlink",
        "--module-path", f"{kit}/jmods", "--add-modules", ",".join(MODULES), "--output", f"/{RUNTIME}", *options,
    ]  # fmt: skip
    run(command, seconds=LINK_SECONDS, log=log)


def components() -> list[Component]:
    """The jars for the bill of materials; their licences are in their own archives, which nobody reads here."""
    return [_component(jar) for jar in locked_jars()]


def _component(jar: Jar) -> Component:
    purl = PackageURL("maven", jar.group, jar.artifact, jar.version)
    return Component(
        group=jar.group, name=jar.artifact, version=jar.version, purl=purl, bom_ref=purl.to_string(),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=jar.digest)],
    )  # fmt: skip
