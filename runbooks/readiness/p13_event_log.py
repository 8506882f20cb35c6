"""P13: where a pair has an event log, it takes clicks at both sites, and they are counted at the active one.

Clicks are worth less than orders: what is wrong here is told, and keeps no pair from being moved.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from functools import partial

from runbooks.readiness.p03_versions import images_of, judge_same
from runbooks.readiness.p05_capacity import quotas_compared, workloads_at
from runbooks.readiness.pair_view import PairView
from shopsphere.clients.workloads import FoundWorkload
from shopsphere.estate.ready_workloads import OF_EVENT_LOG
from shopsphere.foundation.certificate_ends import judge_certificates
from shopsphere.foundation.finding import Finding, fails, passes, together
from shopsphere.status.worker_figures import WorkerFigures, worker_figures

NAME = "The event log takes clicks at both sites, and they are counted"
STILL_SECONDS = 60.0
"""The worker writes every second, and begins anew within 15 s of what it can notice."""
BEHIND_SECONDS = 600.0
"""A worker that was away for hours reads on in minutes; rows on pages look at three hours."""
RENEW = "`shopsphere rotate PAIR --only event-log-certificates`"


def ask(view: PairView) -> Finding:
    """Look at the pods of both sites and at what their workers say."""
    sites = view.pair.sites
    having = [site for site in sites if any(each.of_event_log for each in view.access.workloads(site))]
    if not having:
        return passes("the pair has no event log")
    works: dict[str, Callable[[], Finding]] = {
        f"the event log of {each}": partial(_pods, view, each) for each in having
    }
    works |= {f"the worker of {each}": partial(_worker, view, each) for each in having}
    works["its images"] = partial(_images, view, having)
    works["its quotas"] = partial(quotas_compared, view, of_event_log=True)
    judged = view.judge_each(works)
    if without := [site for site in sites if site not in having]:
        found = f"{without[0]} has no event log, and {having[0]} has one"
        judged.append(fails(found, "give both stacks the same `shopsphere:kafka`, and `shopsphere up` the pair"))
    return together(judged)


def _pods(view: PairView, site: str) -> Finding:
    return judge_pods(site, workloads_at(view, site, of_event_log=True))


def _images(view: PairView, sites: Collection[str]) -> Finding:
    return judge_same("images", {each: images_of(view.items(each, "/api/v1/pods"), OF_EVENT_LOG) for each in sites})


def _worker(view: PairView, site: str) -> Finding:
    said = view.once(f"the worker of {site}", lambda: worker_figures(view.access.cluster(site)))
    judged = [judge_worker(site, said)] if site == view.active else []
    if said.certificate_ends:
        ends = {f"the worker's at {site}": said.certificate_ends}
        judged.append(judge_certificates(ends, datetime.now(UTC), RENEW))
    return together(judged, nothing=f"the worker of {site} follows")


def judge_pods(site: str, found: Collection[FoundWorkload]) -> Finding:
    """Judge whether each workload of a site's event log is there, with all its pods ready."""
    if wrong := [each.said for each in found if not each.is_ready]:
        return fails(f"{site}: {', '.join(wrong)}", f"`shopsphere status {site}`; no order waits for it")
    return passes(f"all {len(found)} workloads of it are ready at {site}")


def judge_worker(site: str, said: WorkerFigures) -> Finding:
    """Judge whether the worker of an active site gets on."""
    action = f"the log of pod insight at {site} says what it waits for; clicks are kept for 24 h meanwhile"
    if not said.counts:
        return fails(f"the worker of {site} does not count", action)
    if said.still_seconds > STILL_SECONDS:
        return fails(f"the worker of {site} has written nothing for {said.still_seconds:.0f} s", action)
    behind = said.behind_seconds or 0.0
    if behind > BEHIND_SECONDS:
        return fails(f"the worker of {site} is {behind / 60:.0f} min behind", action)
    return passes(f"the worker of {site} is {behind:.0f} s behind")
