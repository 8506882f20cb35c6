"""Whoever changes something has seen what is lost by it, and has said so."""

from runbooks.engine.errors import BlockedError
from runbooks.putting_in_place.erasing import require_known
from runbooks.putting_in_place.losses import losses
from runbooks.putting_in_place.provider import against_provider
from runbooks.putting_in_place.replacement import REPLACE, UNDO, Replacement
from shopsphere.estate.databases import COMMERCE, LEDGER
from shopsphere.foundation.progress import say

TITLE = "Show what is lost and what comes back, and wait for a word that it was read"
SECONDS = 3600
VARIANTS = frozenset({REPLACE, UNDO})
_COUNT_SECONDS = 900.0


def check(run: Replacement) -> str:
    """Say, in a dry run, what is lost as far as the copy tells it; the run itself asks what it loaded."""
    if run.model is COMMERCE:
        require_known(run.leading(), run.live, accepted=run.erasures_unknown)
    if run.journal:
        return f"compares {run.live} with {run.coming}"
    leading = run.leading()
    live, other = (leading.asker(each, seconds=_COUNT_SECONDS) for each in (run.live, run.coming))
    copy = run.copy
    found = losses(
        run.model, live, (lambda question: copy.ask(question, seconds=_COUNT_SECONDS)) if copy else other, run.moment
    )
    said = f"; whoever has read it says --i-mean {run.coming}" if copy else ""
    return f"{'; '.join(each.strip() for each in found)}{said}"


def act(run: Replacement) -> None:
    """Ask both databases, and for the ledger the provider; show it; go on only with the name typed."""
    leading = run.leading()
    live, other = (leading.asker(each, seconds=_COUNT_SECONDS) for each in (run.live, run.coming))
    found = losses(run.model, live, other, run.moment)
    if run.model is LEDGER:
        found += against_provider(leading, run.model, run.coming, run.at_time)
    run.remember("losses", found)
    for line in found:
        say(f"         {line}")
    if run.named != run.coming:
        raise BlockedError.because(
            "nothing that customers see was changed yet; what would be is above"
            + (f" (typed was {run.named!r})" if run.named else ""),
            action=f"read it; then call the same command again with --i-mean {run.coming}",
        )
    run.remember("agreed", run.coming)


def verify(run: Replacement) -> bool:
    """It was read in this run, or the names are swapped."""
    return run.recall("agreed") == run.coming or run.is_swapped()
