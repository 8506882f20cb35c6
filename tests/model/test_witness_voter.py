"""How full a voter says that its store is."""

from __future__ import annotations

import pytest

from shopsphere.witness.voter import sizes_in

SIZE, IN_USE = "etcd_mvcc_db_total_size_in_bytes", "etcd_mvcc_db_total_size_in_use_in_bytes"
QUOTA = "etcd_server_quota_backend_bytes"


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        (f"# TYPE {SIZE} gauge\n{SIZE} 69632\n{IN_USE} 40960\n{QUOTA} 6.7108864e+07\n", (69632, 40960, 67108864)),
        (f"{SIZE} 69632\n", (69632, None, None)),
        (f"{SIZE} NaN\n{IN_USE} -1\n{QUOTA} +Inf\n", (None, None, None)),
        ("<html>", (None, None, None)),
        ("", (None, None, None)),
    ],
)
def test_sizes_are_read_where_they_are_told(figures: str, expected: tuple[int | None, int | None, int | None]) -> None:
    assert sizes_in(figures) == expected
