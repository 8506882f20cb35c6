"""An image is built anew when a package in it has an update, and only then; archives that are silent change nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lab.images import build, ensure, known_packages, package_lists, report, shop
from lab.images.catalogue import IMAGES
from lab.images.known_packages import PackageHoursError, look, oldest_lists
from lab.images.rootfs import Extracted, Packages
from shopsphere.foundation.paths import cache_directory
from shopsphere.foundation.process import CommandError

SIMULATION = """\
NOTE: This is only a simulation!
Inst libc6 (2.36-9+deb12u14 Debian:12.15/oldstable [amd64]) []
Inst libaudit1 (1:3.0.9-1 Debian:12.15/oldstable, Debian-Security:12/oldstable-security [amd64]) [libc6:amd64 ]
Inst tzdata (2026f-0+deb12u1 Debian:12.15/oldstable [all])
Conf libc6 (2.36-9+deb12u14 Debian:12.15/oldstable [amd64])
"""
POLICY = """\
libc6:
  Installed: (none)
  Candidate: 2.36-9+deb12u14
  Version table:
     2.36-9+deb12u14 500
        500 http://mirror.example.test/debian bookworm/main amd64 Packages
gone:
  Installed: (none)
  Candidate: (none)
  Version table:
"""
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(hours=24)
BASE = {"libc6": "1", "tzdata": "1"}
OF_IMAGE = {"gateway": {**BASE, "haproxy": "1"}, "shop": {**BASE, "python3.11": "1"}}


@dataclass
class Archives:
    """The archives of packages, as the machine sees them."""

    versions: dict[str, str] = field(default_factory=lambda: {**BASE, "haproxy": "1", "python3.11": "1"})
    answer: bool = True
    fetched: int = 0
    resolved: list[Sequence[str]] = field(default_factory=list)
    built: list[str] = field(default_factory=list)
    sources: str = "deb http://mirror.example.test/debian bookworm main\n"

    def fetch(self, folder: Path) -> None:
        assert folder.name == "packages"
        self.fetched += 1
        if not self.answer:
            raise package_lists.ArchiveError("Temporary failure resolving 'mirror.example.test'")

    def resolve(self, _: Path, packages: Sequence[str], prefer: Mapping[str, str]) -> tuple[str, ...]:
        self.resolved.append(packages)
        assert isinstance(prefer, Mapping)
        return self.files({**BASE, **{name: "" for name in packages if name in {"haproxy", "python3.11"}}})

    def files(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(f"{name}_{self.versions[name]}_amd64" for name in names))

    def candidates(self, _: Path, names: Iterable[str], prefer: Mapping[str, str]) -> dict[str, str]:
        found = {name: self.versions[name] for name in names}
        return {name: prefer.get(name, version) for name, version in found.items()}

    def extract(self, root: Path, packages: Packages, log: Path) -> Extracted:
        self.built.append(log.parent.name)
        if not self.answer:
            raise CommandError("mmdebstrap: exit code 25")
        root.mkdir(parents=True)
        return Extracted(self.resolve(root, packages.include, {}), ())


@pytest.fixture
def archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archives:
    monkeypatch.setenv("SHOPSPHERE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(known_packages.HOURS_VARIABLE, raising=False)
    made = Archives()
    for name in ("fetch", "resolve", "candidates"):
        monkeypatch.setattr(package_lists, name, getattr(made, name))
    monkeypatch.setattr(package_lists, "sources_text", lambda: made.sources)
    monkeypatch.setattr(build, "extract_debian", made.extract)
    monkeypatch.setattr(shop, "install", lambda _root, _log: None)
    return made


def older(hours: float) -> None:
    """Let the last look at the archives be so many hours in the past, and what failed too."""
    file = known_packages.lists_directory() / "known.json"
    facts = json.loads(file.read_text())
    for name in ("looked", "failed"):
        if facts[name]:
            facts[name] = (datetime.fromisoformat(facts[name]) - timedelta(hours=hours)).isoformat()
    file.write_text(json.dumps(facts))


def built(*names: str) -> list[str]:
    return [archive.path.name for archive in ensure.build_archives(names)]


def test_the_simulation_is_read_as_names_of_package_files() -> None:
    assert package_lists.parse_simulation(SIMULATION) == (
        "libaudit1_1%3a3.0.9-1_amd64", "libc6_2.36-9+deb12u14_amd64", "tzdata_2026f-0+deb12u1_all",
    )  # fmt: skip
    assert package_lists.name_and_version("libaudit1_1%3a3.0.9-1_amd64") == ("libaudit1", "1:3.0.9-1")


def test_a_package_that_no_archive_has_is_no_candidate() -> None:
    assert package_lists.parse_policy(POLICY) == {"libc6": "2.36-9+deb12u14"}


def test_one_line_says_why_archives_did_not_answer() -> None:
    text = "apt-get update: exit code 100\nE: Failed to fetch http://a\nE: Some index files failed"
    assert package_lists.first_error(text) == "Failed to fetch http://a"
    assert (
        package_lists.first_error("apt-get update: did not end within 60 s")
        == "apt-get update: did not end within 60 s"
    )


@pytest.mark.requirement("a warm start asks no archive for a day")
def test_archives_are_asked_once_a_day(archives: Archives) -> None:
    first = built("gateway")
    assert (archives.fetched, archives.built) == (1, ["base", "gateway"])
    older(23.9)
    assert built("gateway") == first
    assert archives.fetched == 1
    older(0.2)
    assert built("gateway") == first
    assert archives.fetched == 2
    assert archives.built == ["base", "gateway"]


@pytest.mark.requirement("a security update leads to a rebuild")
def test_an_update_of_a_package_builds_its_images_anew(archives: Archives, capsys: pytest.CaptureFixture[str]) -> None:
    gateway, of_shop = built("gateway", "shop")
    archives.versions["haproxy"] = "2"
    older(25)
    renewed, same = built("gateway", "shop")
    assert (renewed != gateway, same == of_shop) == (True, True)
    assert archives.built == ["base", "gateway", "shop", "gateway"], "the shop has no haproxy, and the base none either"
    assert "gateway: 1 with updates (haproxy 1 -> 2); it is built anew" in capsys.readouterr().err
    assert not (build.images_directory() / gateway).exists()


@pytest.mark.requirement("a security update leads to a rebuild")
def test_an_update_of_the_base_builds_all_images_anew(archives: Archives) -> None:
    before = built("gateway", "shop")
    archives.versions["libc6"] = "2"
    older(25)
    assert not set(built("gateway", "shop")) & set(before)
    assert archives.built == ["base", "gateway", "shop", "base", "gateway", "shop"]


def test_a_change_elsewhere_in_the_archive_builds_nothing(archives: Archives) -> None:
    built("gateway")
    archives.resolved.clear()
    archives.versions["python3.11"] = "2"
    older(25)
    built("gateway")
    assert archives.built == ["base", "gateway"]
    assert archives.resolved == [], "the slow question is asked only when a version changed"


@pytest.mark.requirement("offline the existing image stays in use, and that is said")
def test_without_archives_images_stay_in_use(archives: Archives, capsys: pytest.CaptureFixture[str]) -> None:
    before = built("gateway")
    archives.answer = False
    archives.versions["haproxy"] = "2"
    older(25)
    assert built("gateway") == before
    said = capsys.readouterr().err
    assert "images that are there stay in use: Temporary failure resolving 'mirror.example.test'" in said
    assert archives.fetched == 2
    assert built("gateway") == before
    assert archives.fetched == 2, "not asked again within the hour: a silent archive takes up to a minute"
    assert "stay in use" in capsys.readouterr().err
    older(1.1)
    archives.answer = True
    assert built("gateway") != before


@pytest.mark.requirement("offline the existing image stays in use, and that is said")
def test_an_update_that_is_known_waits_for_the_archives(archives: Archives, capsys: pytest.CaptureFixture[str]) -> None:
    before = built("gateway")
    archives.versions["haproxy"] = "2"
    older(25)
    look(ensure.packages_wanted([IMAGES["gateway"]]), oldest=DAY)
    older(1)
    archives.answer = False
    assert built("gateway") == before
    assert archives.built == ["base", "gateway"]
    assert "stay in use" in capsys.readouterr().err


def test_a_build_that_fails_leaves_the_image(archives: Archives, monkeypatch: pytest.MonkeyPatch) -> None:
    before = built("gateway")
    archives.versions["haproxy"] = "2"
    older(25)

    def fail(*_: object) -> None:
        raise CommandError("mmdebstrap: exit code 25")

    monkeypatch.setattr(build, "extract_debian", fail)
    assert built("gateway") == before


def test_an_image_that_is_not_there_cannot_stay_in_use(archives: Archives) -> None:
    archives.answer = False
    with pytest.raises(CommandError):
        ensure.build_archives(["gateway"])


def test_an_image_whose_build_chose_otherwise_is_not_built_for_ever(
    archives: Archives, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        build, "extract_debian", lambda root, _packages, _log: root.mkdir(parents=True) or Extracted(("odd_1_all",), ())
    )
    first = built("gateway")
    monkeypatch.setattr(build, "extract_debian", archives.extract)
    assert built("gateway") == first


def test_other_archives_are_asked_at_once(archives: Archives) -> None:
    built("gateway")
    archives.sources = "deb http://other.example.test/debian bookworm main\n"
    built("gateway")
    assert archives.fetched == 2


def test_lists_of_the_future_are_fetched_again(archives: Archives) -> None:
    wanted = ensure.packages_wanted([IMAGES["gateway"]])
    look(wanted, oldest=DAY, now=lambda: NOON)
    look(wanted, oldest=DAY, now=lambda: NOON - timedelta(days=300))
    assert archives.fetched == 2


def test_what_another_version_remembered_is_asked_again(archives: Archives) -> None:
    folder = known_packages.lists_directory()
    folder.mkdir(parents=True)
    (folder / "known.json").write_text('{"choices": []}')
    assert look(ensure.packages_wanted([IMAGES["gateway"]]), oldest=DAY).packages("gateway") == (
        "haproxy_1_amd64", "libc6_1_amd64", "tzdata_1_amd64",
    )  # fmt: skip
    assert archives.fetched == 1


def test_images_without_packages_ask_nobody(archives: Archives) -> None:
    tools = cache_directory() / "tools" / "bin"
    tools.mkdir(parents=True)
    (tools / "pause").write_bytes(b"program")
    built("pause")
    assert archives.fetched == 0


@pytest.mark.parametrize(("text", "hours"), [("12", 12), ("0", 0), ("0.5", 0.5)])
def test_the_bound_is_configured_in_hours(text: str, hours: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(known_packages.HOURS_VARIABLE, text)
    assert oldest_lists() == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "a day", "nan", "1e400"])
def test_a_bound_that_is_no_number_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(known_packages.HOURS_VARIABLE, text)
    with pytest.raises(PackageHoursError, match="SHOPSPHERE_PACKAGES_HOURS"):
        oldest_lists()


def test_the_key_has_every_version() -> None:
    keys = {build.key("form", ["a_1_all"]), build.key("form", ["a_2_all"]), build.key("other", ["a_1_all"])}
    assert len(keys) == 3
    assert all(len(key) == 16 for key in keys)


@pytest.mark.requirement("images are shown with digest, age, packages, SBOM and pending updates")
def test_what_is_shown_of_images(archives: Archives, capsys: pytest.CaptureFixture[str]) -> None:
    (made,) = ensure.build_archives(["gateway"])
    archives.versions["haproxy"] = "2"
    look(ensure.packages_wanted([IMAGES["gateway"]]), oldest=timedelta(0))
    capsys.readouterr()
    report.show_images([IMAGES["gateway"], IMAGES["shop"]], as_json=True)
    gateway, missing = json.loads(capsys.readouterr().out)
    assert gateway["digest"] == f"sha256:{made.digest}"
    assert Path(gateway["sbom"]).read_text().startswith("{")
    assert gateway["packages"] == ["haproxy_1_amd64", "libc6_1_amd64", "tzdata_1_amd64"]
    assert (gateway["current"], gateway["updates"]) == (False, {"haproxy": ["1", "2"]})
    assert missing == {"image": IMAGES["shop"].reference, "built": None}


def test_updates_that_a_preference_keeps_back_are_shown(archives: Archives) -> None:
    wanted = {"gateway": Packages(("haproxy",), (), {"haproxy": "1"})}
    look(wanted, oldest=DAY)
    archives.versions["haproxy"] = "2"
    found = look(wanted, oldest=timedelta(0))
    assert (found.packages("gateway"), found.held("gateway")) == (
        ("haproxy_1_amd64", "libc6_1_amd64", "tzdata_1_amd64"), {"haproxy": "2"},
    )  # fmt: skip


@pytest.mark.parametrize(("hours", "shown"), [(0, "0 h"), (47, "47 h"), (49, "2 d"), (240, "10 d")])
def test_age(hours: int, shown: str) -> None:
    assert report.age(NOON - timedelta(hours=hours), NOON) == shown
