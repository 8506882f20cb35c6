"""The bench of recommendations judges answers as it says, and weights are chosen without the test file."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.append(str(REPOSITORY / "bench" / "recommendations"))

import serenade  # noqa: E402 the path comes first
import trials  # noqa: E402
from judging_rows import as_serenade, as_the_shop, going_on, quality, rank_of, ranks  # noqa: E402
from rivals import Published  # noqa: E402
from serenade import Asked, folds, read, remembered, told  # noqa: E402

from app.recommendations.building import build  # noqa: E402
from app.recommendations.clicks import Clicks  # noqa: E402
from app.recommendations.neighbours import TUNED  # noqa: E402

pytestmark = pytest.mark.requirement("the quality of recommendations is measured on sessions that chose no weight")


def test_a_rank_is_one_part_of_its_place_and_nothing_beyond_twenty() -> None:
    answer = tuple(range(1, 31))
    assert [rank_of(number, answer) for number in (1, 2, 4, 20, 21, 99)] == [1, 0.5, 0.25, 0.05, 0, 0]
    found = quality([1, 0.5, 0, 0])
    assert (found.mrr, found.hits, found.predictions) == (0.375, 0.5, 4)
    assert found.error == pytest.approx(0.2394, abs=1e-4)  # sqrt(0.22917 / 4)


def test_each_look_of_a_session_but_the_first_is_a_question_in_the_order_of_time() -> None:
    later = Clicks.of([(1, 30, 9), (1, 10, 5), (2, 40, 1), (1, 20, 7)])
    asked = told("x", Clicks.of([(9, 1, 1)]), later).asked
    assert asked == (Asked((10,), 20), Asked((10, 20), 30))


def test_the_shop_never_answers_what_the_visitor_has_and_serenade_keeps_out_the_latest_alone() -> None:
    index = build(Clicks.of((key, product, 5) for key in range(4) for product in (1, 2, 3)), 5)
    asked = Asked((1, 2), 1)
    assert set(as_serenade(index, TUNED)(asked)) == {1, 3}
    assert as_the_shop(index, TUNED)(asked) == (3,)
    assert going_on([asked, Asked((1, 2), 3)]) == [Asked((1, 2), 3)]
    assert ranks(as_the_shop(index, TUNED), [asked, Asked((1,), 2)]) == [0, 1]


def test_the_cookie_has_the_latest_eight_each_once() -> None:
    assert remembered((9, 1, 2, 1, 3, 4, 5, 6, 7, 8)) == (2, 1, 3, 4, 5, 6, 7, 8)


def test_the_published_way_is_what_is_calculated_here_by_hand() -> None:
    """Viewed 5, 4: of 4 the weight is 1, of 5 it is 1 / 2. Of 7 looks two are at 4 and two at 5, one at each other.

    Session (4, 5, 3) is alike 1.5, (4, 2) 1, (5, 6) 0.5 with its match one place back, so 0.8 instead of 0.9.
    3: 0.9 * 1.5 * ln(7) = 2.63; 2: 0.9 * ln(7) = 1.75; 6: 0.8 * 0.5 * ln(7) = 0.78; 5: (0.9 * 1.5 + 0.8 * 0.5) *
    ln(7 / 2) = 2.19, as only the latest one is kept out.
    """
    rows = [(1, 4, 1), (1, 5, 1), (1, 3, 1), (2, 4, 2), (2, 2, 2), (3, 5, 3), (3, 6, 3)]
    rows += [(4, product, 4) for product in range(91, 96)]  # the longest session is left out, as theirs is
    assert Published(Clicks.of(rows)).answer(Asked((5, 4), 0)) == (3, 5, 2, 6)


def test_weights_are_chosen_without_the_test_file(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def noted(part: str) -> Clicks:
        opened.append(part)
        return read(part)

    monkeypatch.setattr(serenade, "read", noted)
    found = folds()
    assert set(opened) == {"train", "valid"}
    assert [(fold.name, len(fold.asked)) for fold in found] == [
        ("train, day -3", 1100), ("train, day -2", 1100), ("train, day -1", 1100), ("valid", 1121),
    ]  # fmt: skip
    for fold in found[:3]:
        assert fold.now < int(read("train").times.max()) - 86_400 * 0.99 * (3 - found.index(fold)) + 86_400


def test_a_trial_is_drawn_by_seed_and_number_and_stays_in_its_ranges() -> None:
    best = [{"weighting": {"last": 8, "newest": 1500, "neighbours": 20, "position_decay": 1.0, "match_decay": 0.1,
                           "half_life_days": 1.0, "length_power": 0.0, "rarity_power": 3.0}}]  # fmt: skip
    for number in (0, 7, 350, 351):
        drawn = trials.drawn(1, number, 400, best)
        assert drawn == trials.drawn(1, number, 400, best) != trials.drawn(2, number, 400, best)
        for name, (low, high) in trials.RANGES.items():
            assert low <= getattr(drawn, name) <= high
    assert trials.value_at("newest", trials.place_of("newest", 300)) == 300


def test_another_archive_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "example.zip"
    other.write_bytes(serenade.ARCHIVE.read_bytes() + b"x")
    monkeypatch.setattr(serenade, "ARCHIVE", other)
    with pytest.raises(SystemExit, match="another file"):
        read("train")


def test_the_data_has_its_licence_beside_it() -> None:
    folder = serenade.ARCHIVE.parent
    assert serenade.SHA256 in (folder / "README.md").read_text()
    assert "Apache License" in (folder / "LICENSE.md").read_text()
