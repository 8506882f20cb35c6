from policy_cases import kubernetes as k8s
from policy_cases.declared import UNKNOWN
from policy_cases.event_log import declaration, topic

TEXT = ("data", "declaration.json")
GOOD = {
    "personal": declaration(topic()),
    "less strict than its namespace": declaration(topic(), topic(name="clicks.rejected", **{"class": "operational"})),
}
BAD = {
    "no class": (declaration(topic(**{"class": ""})), "topic clicks, class: missing"),
    "unknown class": (declaration(topic(**{"class": "secret"})), "topic clicks, class: secret"),
    "of headquarters": (declaration(topic(**{"class": "aggregate"})), "topic clicks, class: aggregate"),
    "stricter than its namespace": (
        declaration(topic()).but("metadata", "labels", k8s.labels("operational")),
        "a class kept no more strictly than its namespace's",
    ),
    "two of one name": (declaration(topic(), topic()), "2 topics named clicks"),
    "no topic": (declaration(), "no topic"),
    "no JSON": (declaration().but(*TEXT, "clicks"), "in JSON"),
    "a list": (declaration().but(*TEXT, "[]"), "a mapping with topics and rights"),
}
UNKNOWN_CASES = {"text": (declaration(topic()).but(*TEXT, UNKNOWN), "data.declaration.json is not known")}
NOT_APPLICABLE = {"other settings": k8s.SETTINGS, "workload": k8s.DEPLOYMENT}
