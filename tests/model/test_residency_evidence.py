"""Evidence: who signed it, what it may say, and that nothing is clean that was not seen."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from manual_clock import ManualClock

import cli.residency
from cli import main as command
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.residency import evidence, plant, proving, render, tokens
from shopsphere.residency.customer import Person
from shopsphere.residency.evidence import Evidence, EvidenceError
from shopsphere.residency.looking import Leak, PlaceReport, Verdict
from shopsphere.residency.places import FolderSpec, LinksSpec
from shopsphere.residency.proving import Orders, Searched
from shopsphere.residency.searcher import Request

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
CLEAN = PlaceReport(
    place="volumes",
    kind="files",
    jurisdiction="us",
    at="ashburn",
    control=1,
    octets=5 << 20,
    items=3,
    unchanged=1 << 30,
)
LEAKING = CLEAN.model_copy(
    update={"leaks": (Leak(token="eu/email", form="MD5, raw", count=2, positions=("base/5/1: 8192",)),)}
)
UNSEEN = CLEAN.model_copy(update={"control": 0, "problems": ("host ashburn is off",)})


def made_of(*places: PlaceReport) -> Evidence:
    return Evidence(
        environment="lab", by="ada at ops", at="2026-11-28T12:00:00+00:00", planted="2026-11-28T11:00:00+00:00",
        tokens={"eu": ("eu/email", "eu/name")}, planting="ab" * 32, forms=61, orders=3, places=places,
    )  # fmt: skip


@pytest.mark.requirement("exit 0 only for what was seen whole, 7 for a leak, 4 for what could not be seen")
@pytest.mark.parametrize(
    ("places", "verdict", "code"),
    [
        ((CLEAN,), Verdict.CLEAN, 0),
        ((CLEAN, UNSEEN), Verdict.NOT_PROVEN, 4),
        ((CLEAN, UNSEEN, LEAKING), Verdict.LEAK, 7),
        ((CLEAN.model_copy(update={"control": 0}),), Verdict.NOT_PROVEN, 4),
        ((CLEAN.model_copy(update={"problems": ("a file could not be read",)}),), Verdict.NOT_PROVEN, 4),
        ((), Verdict.NOT_PROVEN, 4),
    ],
)
def test_what_a_proof_says(places: tuple[PlaceReport, ...], verdict: Verdict, code: int) -> None:
    assert (made_of(*places).verdict, made_of(*places).exit_code) == (verdict, code)


def test_a_signed_report_is_read_back_as_it_was() -> None:
    found = made_of(CLEAN, LEAKING)
    assert evidence.verify(evidence.signed(found, KEY), evidence.public_of(KEY)) == found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"leaks": [\n', '"leaks": [],\n "other": [\n'),
        ('"count": 2', '"count": 0'),
        ('"verdict": "leak"', '"verdict": "clean"'),
        ('"octets": 5242880', '"octets": 52428800'),
        ('"Ed25519"', '"none"'),
        ('"value": "', '"value": "AAAA'),
        ('{\n  "evidence"', '{\n  "note": 1, "evidence"'),
    ],
)
def test_a_report_that_was_changed_is_refused(old: str, new: str) -> None:
    text = evidence.signed(made_of(LEAKING), KEY)
    assert old in text
    with pytest.raises(EvidenceError, match="cannot be relied on"):
        evidence.verify(text.replace(old, new, 1), evidence.public_of(KEY))


def test_the_key_in_the_document_is_not_believed() -> None:
    stranger = Ed25519PrivateKey.generate()
    forged = evidence.signed(made_of(CLEAN), stranger)
    with pytest.raises(EvidenceError, match="another signature"):
        evidence.verify(forged, evidence.public_of(KEY))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"evidence": {}, "signature": {}}'])
def test_other_documents_are_refused(text: str) -> None:
    with pytest.raises(EvidenceError):
        evidence.verify(text, evidence.public_of(KEY))


def test_a_verdict_that_does_not_follow_from_the_places_is_refused_though_it_is_signed() -> None:
    document = json.loads(evidence.signed(made_of(LEAKING), KEY))
    document["evidence"]["verdict"] = "clean"
    content = json.dumps(document["evidence"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    document["signature"]["value"] = base64.b64encode(KEY.sign(content.encode())).decode()
    with pytest.raises(EvidenceError, match="follows from the places"):
        evidence.verify(json.dumps(document), evidence.public_of(KEY))


def test_an_operator_has_one_key_that_others_cannot_read(tmp_path: Path) -> None:
    file = tmp_path / "residency/operator.key"
    assert evidence.public_of(evidence.operator_key(file)) == evidence.public_of(evidence.operator_key(file))
    assert file.stat().st_mode & 0o077 == 0


def test_the_text_names_leak_place_coverage_and_what_was_not_searched() -> None:
    text = render.as_text(made_of(CLEAN, LEAKING, UNSEEN))
    assert "LEAK  ashburn: volumes: eu/email as MD5, raw, 2 times" in text
    assert "base/5/1: 8192" in text
    assert "NOT PROVEN  ashburn: volumes: host ashburn is off" in text
    assert "3 places (3 files), 15 MiB in 9 items, 3072 MiB unchanged since the planting" in text
    assert "the payment provider: " in text
    assert text.endswith("leak: 1 leak, 1 not proven, 1 clean; 2 tokens in 61 forms")


def test_verify_exits_as_the_proof_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "evidence.json"
    file.write_text(evidence.signed(made_of(CLEAN, LEAKING), KEY))
    words = ["residency", "verify", str(file), "--key"]
    assert command.run([*words, evidence.public_of(KEY)]) == ExitCode.CHANGES
    assert "LEAK" in capsys.readouterr().out
    assert command.run([*words, evidence.public_of(Ed25519PrivateKey.generate())]) == ExitCode.FAILED
    assert command.run(["residency", "verify", str(tmp_path / "none"), "--key", "x"]) == ExitCode.FAILED


# planting and the file of tokens


def planted() -> tokens.Planting:
    asked: list[tuple[str, Person]] = []

    def order(jurisdiction: str, person: Person) -> str:
        asked.append((jurisdiction, person))
        return f"0192f7a1-5b7c-7c44-9d1e-3f2a6b8c9d{len(asked):02x}"

    made = plant.plant(["eu", "us"], "https://www.shopsphere.test", order, environment="lab", now=1000.0)
    assert [each for each, _ in asked] == ["eu", "us"]
    assert all(len(person.password) > 15 for _, person in asked)
    return made


def test_each_jurisdiction_gets_words_of_its_own_with_one_beginning() -> None:
    made = planted()
    assert {each.name for each in made.of("eu")} == {
        "eu/email",
        "eu/name",
        "eu/street",
        "eu/city",
        "eu/words",
        "eu/order",
    }
    assert len({each.value for each in made.tokens}) == 12
    assert all(each.value.startswith(made.stem) for each in made.tokens if not each.name.endswith("/order"))
    assert planted().stem != made.stem


def test_a_guest_is_the_planted_customer_without_the_account() -> None:
    made = planted()
    person = plant.guest(made, "us", "https://www.shopsphere.test")
    assert (person.email, person.password) == (made.of("us")[0].value, "")


def test_tokens_are_kept_for_their_owner_alone(tmp_path: Path) -> None:
    file, made = tmp_path / "residency/tokens.json", planted()
    tokens.keep(file, made)
    assert file.stat().st_mode & 0o077 == 0
    assert tokens.recall(file) == made


@pytest.mark.parametrize(
    ("text", "found"), [(None, "no such file"), ("{", "Expecting"), ('{"tokens": []}', "validation")]
)
def test_a_file_of_tokens_that_is_none_is_said_to_be(tmp_path: Path, text: str | None, found: str) -> None:
    file = tmp_path / "tokens.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(tokens.TokensError, match=found):
        tokens.recall(file)


def test_two_tokens_of_one_name_are_refused() -> None:
    made = planted()
    with pytest.raises(tokens.TokensError, match="eu/email"):
        tokens.check_names([*made.tokens, made.tokens[0]])


def test_a_planting_that_printed_no_order_is_refused() -> None:
    assert plant.order_in('{"order": "1"}\n') == "1"
    for output in ("", "[]", "null", '{"other": 1}'):
        with pytest.raises(plant.PlantError):
            plant.order_in(output)


# a proof over several hosts

FILES = FolderSpec(name="volumes", path=Path("/srv/volumes"))
LINKS = LinksSpec(name="links", interface="eth0", foreign=("10.99.0.21",), seconds=1)
HOSTS = (Searched("frankfurt", "eu", (LINKS, FILES)), Searched("ashburn", "us", (LINKS, FILES)))


def customers(order: Callable[[], object]) -> Orders:
    """Let customers order for 30 s that take no time."""
    return Orders(order, 30, clock=ManualClock())


def answer(request: Request, _seconds: float) -> Sequence[PlaceReport]:
    return [
        PlaceReport(place=each.name, kind=kind, jurisdiction=request.jurisdiction, at=request.at, control=1)
        for each, kind in zip(request.places, ("links", "files"), strict=True)
    ]


def test_all_hosts_are_searched_with_all_tokens_while_customers_order() -> None:
    asked: list[Request] = []
    ordered: list[int] = []

    def search(request: Request, seconds: float) -> Sequence[PlaceReport]:
        asked.append(request)
        return answer(request, seconds)

    made = planted()
    orders = customers(lambda: ordered.append(1))
    found = proving.prove(made, HOSTS, search, orders, seconds=10)
    assert [each.verdict for each in found] == [Verdict.CLEAN] * 4
    assert {each.at for each in asked} == {"frankfurt", "ashburn"}
    assert all(each.tokens == made.tokens and each.since == 1000.0 for each in asked)
    assert len(ordered) == orders.made == 7  # after 5, 9, 13, 17, 21, 25 and 29 of 30 seconds


def test_a_host_that_fails_leaves_its_own_places_unproven_alone() -> None:
    def search(request: Request, seconds: float) -> Sequence[PlaceReport]:
        if request.at == "frankfurt":
            raise ShopSphereError("host frankfurt is off\n  do: start it")
        return answer(request, seconds)

    found = proving.prove(planted(), HOSTS, search, customers(lambda: None), seconds=10)
    assert [(each.at, each.verdict) for each in found] == [
        ("frankfurt", Verdict.NOT_PROVEN),
        ("frankfurt", Verdict.NOT_PROVEN),
        ("ashburn", Verdict.CLEAN),
        ("ashburn", Verdict.CLEAN),
    ]
    assert [each.kind for each in found[:2]] == ["links", "folder"]
    assert "frankfurt is off" in found[0].problems[0]


def test_a_host_that_hangs_ends_with_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proving, "AFTERWARDS", 3.0)
    release = threading.Event()

    def search(request: Request, seconds: float) -> Sequence[PlaceReport]:
        if request.at == "frankfurt":
            release.wait(30)
        return answer(request, seconds)

    found = proving.prove(planted(), HOSTS, search, customers(lambda: None), seconds=1)
    release.set()
    assert "not returned in time" in found[0].problems[0]
    assert found[2].verdict is Verdict.CLEAN


def test_links_are_not_proven_when_nobody_could_order() -> None:
    def refuse() -> None:
        raise ShopSphereError("the shop is closed")

    orders = customers(refuse)
    found = proving.prove(planted(), HOSTS, answer, orders, seconds=10)
    assert [each.verdict for each in found] == [Verdict.NOT_PROVEN, Verdict.CLEAN] * 2
    assert orders.problems[0] == "the shop is closed"


def test_production_is_refused_and_the_document_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.run(["residency", "prove", "-e", "prod"]) == ExitCode.FAILED
    assert "docs/residency.md" in capsys.readouterr().err
    assert command.run(["residency", "plant", "-e", "prod"]) == ExitCode.FAILED


def test_the_tokens_are_not_kept_where_they_are_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    from shopsphere.estate.paths import records_directory  # noqa: PLC0415
    from shopsphere.estate.stack import Environment  # noqa: PLC0415

    file = cli.residency._tokens_file(Environment.LAB)  # noqa: SLF001 - where it is, is what is claimed
    assert records_directory(Environment.LAB) not in file.parents
