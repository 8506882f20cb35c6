"""How postcodes are written, by country; where a region delivers is said by its facts alone."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Pattern and example. A country that is not here takes any code: a region may deliver where this list does not reach.
_WRITTEN: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(
        ("DE", "EE", "ES", "FI", "HR", "IT", "LT", "KR", "MX", "MY", "TH", "TR", "UA"), (r"\d{5}", "12345")
    ),
    **dict.fromkeys(
        ("AT", "BE", "BG", "CY", "DK", "HU", "LU", "LV", "SI", "AU", "CH", "LI", "NO", "NZ", "PH", "ZA"),
        (r"\d{4}", "1234"),
    ),
    **dict.fromkeys(("CZ", "GR", "SE", "SK"), (r"\d{3} ?\d{2}", "123 45")),
    **dict.fromkeys(("RO", "SG", "CN"), (r"\d{6}", "123456")),
    "FR": (r"\d{2} ?\d{3}", "75001"),
    "IE": (r"[A-Z]\d[\dW] ?[A-Z\d]{4}", "D02 AF30"),
    "MT": (r"[A-Z]{3} ?\d{2,4}", "VLT 1117"),
    "NL": (r"\d{4} ?[A-Z]{2}", "1012 AB"),
    "PL": (r"\d{2}-?\d{3}", "00-950"),
    "PT": (r"\d{4}-?\d{3}", "1000-001"),
    "US": (r"\d{5}(-?\d{4})?", "10001"),
    "BR": (r"\d{5}-?\d{3}", "01310-100"),
    "CA": (r"[A-Z]\d[A-Z] ?\d[A-Z]\d", "K1A 0B1"),
    "GB": (r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}", "SW1A 1AA"),
    "IN": (r"\d{3} ?\d{3}", "110 001"),
    "IS": (r"\d{3}", "101"),
    "JP": (r"\d{3}-?\d{4}", "100-0001"),
}


def is_postcode(country: str, text: str) -> bool:
    """Return whether a text can be a postcode of a country; letters may be small, `D-` or `DE-` may stand before."""
    pattern, _ = _WRITTEN.get(country, (r"[A-Z\d][A-Z\d -]{1,15}", ""))
    before = f"(?:{country}|{country[0]})[- ]?"
    return bool(re.fullmatch(f"(?:{before})?(?:{pattern})", text.upper(), re.ASCII))


def example(country: str) -> str:
    """Return a postcode as the country writes it; empty where we do not know."""
    return _WRITTEN.get(country, ("", ""))[1]
