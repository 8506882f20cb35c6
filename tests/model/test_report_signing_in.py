"""Who may see headquarters' pages: settings, the staff file, and how long a browser is signed in."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from app.customers.passwords import NOBODY
from app.errors import SettingsError
from app.reporting.settings import ReportSettings
from app.reporting.signing_in import COOKIE, Sessions
from app.reporting.span import Span, SpanError, span_of
from app.reporting.staff import StaffFileError, staff_of

pytestmark = pytest.mark.requirement("headquarters' pages show what was released, say what is missing, and name nobody")

SECRET, OTHER = "a" * 32, "b" * 32
EIGHT_HOURS = 28_800


class Clock:
    def __init__(self) -> None:
        self.now = 1_796_000_000.0

    def __call__(self) -> float:
        return self.now


def cookies(sessions: Sessions, name: str = "ada") -> dict[str, str]:
    return {COOKIE: str(sessions.begin(name).value)}


def test_a_session_ends_after_eight_hours() -> None:
    clock = Clock()
    sessions = Sessions({"ada": NOBODY}, SECRET, clock=clock)
    kept = cookies(sessions)
    clock.now += EIGHT_HOURS - 1
    found = sessions.find(kept)
    assert found is not None
    assert found.name == "ada"
    clock.now += 1
    assert sessions.find(kept) is None


def test_a_session_ends_with_the_password_and_with_the_name() -> None:
    kept = cookies(Sessions({"ada": NOBODY}, SECRET))
    assert Sessions({"ada": NOBODY}, SECRET).find(kept) is not None
    assert Sessions({"ada": NOBODY.replace("5", "6", 1)}, SECRET).find(kept) is None
    assert Sessions({"bob": NOBODY}, SECRET).find(kept) is None


def test_both_secrets_count_while_one_is_renewed() -> None:
    kept = cookies(Sessions({"ada": NOBODY}, SECRET))
    assert Sessions({"ada": NOBODY}, OTHER, SECRET).find(kept) is not None
    assert Sessions({"ada": NOBODY}, OTHER).find(kept) is None


def test_who_signs_out_ends_one_session_only() -> None:
    sessions = Sessions({"ada": NOBODY}, SECRET)
    first, second = cookies(sessions), cookies(sessions)
    found = sessions.find(first)
    assert found is not None
    assert sessions.end(found).max_age == 0
    assert sessions.find(first) is None
    assert sessions.find(second) is not None


@pytest.mark.parametrize("value", ["", "~", "ada~x~1~", "ada~x~\N{SUPERSCRIPT TWO}~0", "ada~x~-1~0", "ada~x~1~0~0"])
def test_what_was_not_signed_here_is_nobody(value: str) -> None:
    assert Sessions({"ada": NOBODY}, SECRET).find({COOKIE: value}) is None


def test_a_staff_file_has_names_and_hashes() -> None:
    assert staff_of(f"# who\n\nada:{NOBODY}\nb.o-b:{NOBODY}\n") == {"ada": NOBODY, "b.o-b": NOBODY}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "expected 1 to 1000 lines"),
        ("ada", "line 1"),
        ("ada:password", "line 1"),
        (f"#\nAda:{NOBODY}", "line 2"),
        (f"ada:{NOBODY}\nada:{NOBODY}", "'ada' again in line 2"),
        (f"ada:{NOBODY.replace('$16384$', '$262144$')}", "line 1"),
        (f"ada:{NOBODY.replace('$16384$', '$16383$')}", "line 1"),
        (f"ada:{NOBODY[:-8]}", "line 1"),
        (f"ada:{NOBODY.replace('scrypt', 'md5')}", "line 1"),
    ],
    ids=["empty", "no hash", "a password", "a capital", "twice", "too slow", "no power of two", "cut", "another hash"],
)
def test_a_staff_file_that_cannot_be_used_says_where(text: str, says: str) -> None:
    with pytest.raises(StaffFileError, match=says) as refused:
        staff_of(text)
    assert NOBODY[-20:] not in str(refused.value)


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    (tmp_path / "staff").write_text(f"ada:{NOBODY}\n")
    return {
        "REPORT_DSN": "postgresql://report_app@db/headquarters",
        "REPORT_PASSWORD": "p@ss",
        "REPORT_SECRET": SECRET,
        "REPORT_STAFF_FILE": str(tmp_path / "staff"),
        "REPORT_REGIONS": '{"1": "rdc-a", "2": "rdc-b"}',
        **more,
    }


def test_settings_are_read_and_hold_no_secret_in_what_they_print(tmp_path: Path) -> None:
    settings = ReportSettings.read(environment(tmp_path))
    assert settings.listen.port == 8014
    assert settings.dsn == "postgresql://report_app:p%40ss@db/headquarters"
    assert settings.regions == {1: "rdc-a", 2: "rdc-b"}
    assert not any(each in repr(settings) for each in (SECRET, "p%40ss", "scrypt"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REPORT_DSN", ""),
        ("REPORT_DSN", "mysql://db"),
        ("REPORT_SECRET", "short"),
        ("REPORT_STAFF_FILE", "/nowhere"),
        ("REPORT_REGIONS", ""),
        ("REPORT_REGIONS", "[]"),
        ("REPORT_REGIONS", "{}"),
        ("REPORT_REGIONS", '{"1": "rdc-a", "2": "rdc-a"}'),
        ("REPORT_REGIONS", '{"0": "rdc-a"}'),
        ("REPORT_REGIONS", '{"1": "=rdc"}'),
        ("REPORT_REGIONS", '{"1": 1}'),
        ("REPORT_STAF_FILE", "x"),
    ],
)
def test_settings_that_cannot_be_right_are_named(name: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=f"{name}: expected"):
        ReportSettings.read(environment(tmp_path, **{name: value}))


def test_days_are_the_28_before_today_unless_a_link_says_others() -> None:
    today = date(2026, 12, 1)
    assert span_of({}, today) == Span(date(2026, 11, 3), date(2026, 12, 1))
    assert span_of({"last": "2026-10-08", "days": "7"}, today) == Span(date(2026, 10, 2), date(2026, 10, 9))
    assert span_of({"last": "2026-10-08", "days": "7"}, today).query() == "?last=2026-10-08&days=7"
    for query in ({"days": "1000000"}, {"days": "\N{SUPERSCRIPT TWO}8"}, {"last": "2026-W01-1"}, {"last": "x" * 500}):
        with pytest.raises(SpanError):
            span_of(query, today)
