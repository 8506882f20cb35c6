from policy_cases import kubernetes as k8s
from policy_cases.declared import UNKNOWN
from policy_cases.event_log import DAY_MS, LOG, declaration, topic

SIZE = ("spec", "volumeClaimTemplates", 0, "spec", "resources", "requests", "storage")
GOOD = {
    "half of the volume": [LOG.but(*SIZE, "960Mi"), declaration(topic())],
    "thirty days": [LOG, declaration(topic(settings={"retention.ms": str(30 * DAY_MS)}))],
    "without a broker of its own": [declaration(topic())],
}
BAD = {
    "no end": ([LOG, declaration(topic(settings={"retention.ms": "-1"}))], "retention.ms without a bound"),
    "longer than a session": ([declaration(topic(settings={"retention.ms": str(30 * DAY_MS + 1)}))], "1 to 2592000000"),
    "no size": ([declaration(topic(settings={"retention.bytes": "-1"}))], "retention.bytes without a bound"),
    "one part": ([declaration(topic(settings={"segment.bytes": "1073741824"}))], "segment.bytes 1073741824"),
    "more than half": (
        [LOG.but(*SIZE, "959Mi"), declaration(topic())],
        "topics of 480 MiB at the most on a volume of 959 MiB",
    ),
    "no number": ([declaration(topic(settings={"retention.ms": "a day"}))], "settings.retention.ms"),
}
UNKNOWN_CASES = {
    "size": ([LOG.but(*SIZE, UNKNOWN), declaration(topic())], "storage is not known"),
    "declaration": ([declaration(topic()).but("data", UNKNOWN)], "data is not known"),
}
NOT_APPLICABLE = {"neither": [k8s.DEPLOYMENT, k8s.SETTINGS], "empty": []}
