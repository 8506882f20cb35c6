"""Work with a bound on its time, as runbooks call it."""

from __future__ import annotations

from shopsphere.foundation.bounded import OutOfTimeError, answer_of, call, start

__all__ = ["OutOfTimeError", "answer_of", "call", "start"]
