"""Whether a pair could fail over right now: thirteen checks, read-only, all at once.

Each file `pNN_…` is one check: `ask` collects what it needs from a PairView, pure functions beside it judge plain
values. What could not be asked is `unknown`, and never counts as ready.
"""
