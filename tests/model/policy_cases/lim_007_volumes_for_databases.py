from policy_cases import kubernetes as k8s
from policy_cases.declared import REMOVED, UNKNOWN, Declared

SIZE = ("spec", "storage", "size")


def volume(name: str, capacity: str, data_class: str = "payment") -> Declared:
    resource = k8s.VOLUME.but("metadata", "name", name).but("metadata", "labels", k8s.labels(data_class)).called(name)
    return resource.but("spec", "capacity", "storage", capacity)


def database(name: str, size: str) -> Declared:
    return k8s.DATABASE.but("metadata", "name", name).but(*SIZE, size).called(name)


GOOD = {
    "just large enough": [k8s.DATABASE, volume("v1", "1Gi")],
    "the large one gets the large volume": [
        database("a", "1Gi"), database("b", "2Gi"), volume("v1", "2Gi"), volume("v2", "1Gi"),
    ],
    "one instance where nothing is said": [k8s.DATABASE.but("spec", "instances", REMOVED), volume("v1", "1Gi")],
    "one more for a rebuild": [k8s.DATABASE, volume("v1", "1Gi"), volume("v2", "1Gi")],
}  # fmt: skip
BAD = {
    "too small": ([k8s.DATABASE, volume("v1", "1023Mi")], "no volume of 1Gi or more for payment data"),
    "of another class": ([k8s.DATABASE, volume("v1", "9Gi", "personal")], "for payment data that ledger-frankfurt"),
    "one for two": ([database("a", "1Gi"), database("b", "1Gi"), volume("v1", "9Gi")], "that b could have for itself"),
    "one for two instances": ([k8s.DATABASE.but("spec", "instances", 2.0), volume("v1", "9Gi")], "no volume of 1Gi"),
    "no size": ([k8s.DATABASE.but(*SIZE, None)], "found:   spec.storage.size is missing"),
    "no capacity": (
        [k8s.VOLUME.but("spec", "capacity", "storage", None)],
        "found:   spec.capacity.storage is missing",
    ),
    "the large one comes first": (
        [database("a", "1Gi"), database("b", "2Gi"), volume("v1", "2Gi")],
        "no volume of 1Gi or more for payment data that a could have for itself",
    ),
}
UNKNOWN_CASES = {
    "size": ([k8s.DATABASE.but(*SIZE, UNKNOWN), volume("v1", "1Gi")], "spec.storage.size is not known"),
    "capacity": ([k8s.VOLUME.but("spec", "capacity", "storage", UNKNOWN)], "spec.capacity.storage is not known"),
}
NOT_APPLICABLE = {"neither": [k8s.DEPLOYMENT, k8s.NAMESPACE, k8s.DNS], "empty": []}
