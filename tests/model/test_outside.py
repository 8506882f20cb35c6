"""What a report says that customers noticed."""

import pytest

from runbooks.outside import Measured


@pytest.mark.requirement("the report has the time without writes and without pages, measured from outside")
@pytest.mark.parametrize(
    ("good", "seconds", "note"),
    [
        ([100.5, 101.0, 101.5, 109.5, 110.0], 8.0, None),
        ([114.0, 114.5], 14.0, "counted from the command: it was gone before"),
        ([101.0, 101.5], 1.0, None),
        ([], 20.0, "none arrived while this was measured"),
    ],
)
def test_gaps(good: list[float], seconds: float, note: str | None) -> None:
    report = Measured(began=100.0, writes=good, pages=[100.5, 101.0]).as_report(ended=120.0)
    assert report["writes_gap_seconds"] == seconds
    assert report.get("writes_note") == note
    assert report["pages_gap_seconds"] == 0.5
