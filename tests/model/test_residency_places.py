"""Each kind of place: a planted token is found in it, and nothing is called clean that was not seen whole."""

from __future__ import annotations

import base64
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest

from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import ProgramError
from shopsphere.clients.powerdns import DnsAuthority, RRset
from shopsphere.residency import place_links, searcher
from shopsphere.residency.forms import needles
from shopsphere.residency.looking import PlaceReport, Verdict, look_at_places
from shopsphere.residency.place import HOME, Place, Seen
from shopsphere.residency.place_cluster import OBJECTS, ClusterObjects, DatabaseDump
from shopsphere.residency.place_edge import CacheMemory, Zones
from shopsphere.residency.place_etcd import Etcd
from shopsphere.residency.place_files import CONTROL_FILE, Folder, Looked
from shopsphere.residency.place_links import Links
from shopsphere.residency.search import Anchored
from shopsphere.residency.tokens import Token

EU = Token(name="eu/email", jurisdiction="eu", value="qvzkxjwypfbcgtrewqpoiu@example.org")
US = Token(name="us/email", jurisdiction="us", value="qvzkxjwypfmmmnnnooolll@example.org")
TOKENS = (EU, US)


def look(place: Place, jurisdiction: str = "us") -> PlaceReport:
    """Look at one place of a jurisdiction; `us` unless said otherwise."""
    (report,) = look_at_places([place], TOKENS, jurisdiction=jurisdiction, at="ashburn", seconds=60)
    return report


def leaks(report: PlaceReport) -> list[tuple[str, str, int]]:
    return [(each.token, each.form, each.count) for each in report.leaks]


# folders


def test_a_leak_in_a_file_is_found_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "pg_wal").mkdir()
    (tmp_path / "pg_wal/000000010000000000000003").write_bytes(bytes(5000) + EU.value.encode() + bytes(5000))
    report = look(Folder("volumes", tmp_path, Looked(0)))
    assert (report.verdict, leaks(report)) == (Verdict.LEAK, [("eu/email", "UTF-8", 1)])
    assert report.leaks[0].positions == ("pg_wal/000000010000000000000003: 5000",)
    assert report.control > 0
    assert EU.value not in report.model_dump_json()


def test_tokens_of_home_are_no_leak_and_the_control_is_gone_afterwards(tmp_path: Path) -> None:
    (tmp_path / "data").write_text(US.value)
    report = look(Folder("volumes", tmp_path, Looked(0)))
    assert (report.verdict, report.leaks, report.items) == (Verdict.CLEAN, (), 2)
    assert not (tmp_path / CONTROL_FILE).exists()


def test_what_has_not_changed_since_is_counted_and_not_read(tmp_path: Path) -> None:
    (tmp_path / "old").write_text(EU.value)
    os.utime(tmp_path / "old", (0, 0))  # its change time is now all the same: a copy with old dates is read
    assert look(Folder("volumes", tmp_path, Looked(time.time() - 5))).verdict is Verdict.LEAK
    time.sleep(0.2)
    slack = 2.0  # that a file system's clock may be behind
    later = Folder("volumes", tmp_path, Looked(time.time() - 0.05 + slack))
    time.sleep(0.05)
    report = look(later)
    assert report.unchanged == len(EU.value)
    assert report.leaks == ()


def test_a_folder_that_is_not_there_is_not_clean(tmp_path: Path) -> None:
    report = look(Folder("volumes", tmp_path / "none", Looked(0)))
    assert report.verdict is Verdict.NOT_PROVEN
    assert "no such folder" in report.problems[0]


def test_holes_are_not_read_and_join_nothing(tmp_path: Path) -> None:
    half = len(EU.value) // 2
    with (tmp_path / "sparse").open("wb") as file:
        file.write(bytes(4096 - half) + EU.value[:half].encode())
        file.seek(1 << 30)
        file.write(EU.value[half:].encode())
    report = look(Folder("volumes", tmp_path, Looked(0)))
    assert report.leaks == ()
    assert report.octets < 1 << 24


def test_links_out_of_the_folder_and_disks_that_are_mounted_are_left(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    (folder / "disk").mkdir(parents=True)
    for file in (outside, folder / "disk.img"):
        file.write_text(EU.value)
    (folder / "link").symlink_to(outside)
    assert look(Folder("volumes", folder, Looked(0))).verdict is Verdict.CLEAN


def test_a_volume_that_is_mounted_twice_is_read_once(tmp_path: Path) -> None:
    for name in ("volumes", "pods"):
        (tmp_path / name).mkdir()
    (tmp_path / "volumes/data").write_text(EU.value)
    (tmp_path / "pods/data").hardlink_to(tmp_path / "volumes/data")
    looked = Looked(0)
    assert look(Folder("volumes", tmp_path / "volumes", looked)).verdict is Verdict.LEAK
    again = look(Folder("pods", tmp_path / "pods", looked))
    assert (again.leaks, again.items) == ((), 1)


def test_a_folder_may_leave_the_folders_in_it_to_others(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner/data").write_text(EU.value)
    assert look(Folder("disk", tmp_path, Looked(0), deep=False)).verdict is Verdict.CLEAN


# clusters


class FakeCluster:
    context = "ashburn"

    def __init__(self, *dump: bytes, objects: dict[str, list[dict[str, Any]]] | None = None, ends: bool = True) -> None:
        self.dump, self.objects, self.ends, self.asked = dump, objects or {}, ends, [""]

    def get(self, path: str) -> dict[str, Any]:
        if path.endswith("kube-system"):
            return {"metadata": {"name": "kube-system", "uid": "2f6f0d5e-9a51-4d55-8c04-0d7f3b1f1a10"}}
        named = {"namespace": "data-commerce", "name": "commerce-ashburn"}
        return {"metadata": named, "status": {"currentPrimary": "commerce-ashburn-2"}}

    def items_of_known_kind(self, path: str) -> list[dict[str, Any]]:
        own = [self.get("kube-system")] if path.endswith("namespaces") else []
        return own + self.objects.get(path, [])

    def output_of(self, *words: Any, **_bounds: float) -> Iterator[bytes]:
        self.asked = [str(word) for word in words]
        yield from self.dump
        if not self.ends:
            raise ProgramError("pg_dumpall: connection lost")


def client_of(fake: FakeCluster) -> Callable[[], Cluster]:
    return lambda: cast(Cluster, fake)


def database(cluster: FakeCluster) -> Place:
    return DatabaseDump("commerce", client_of(cluster), "/…/commerce-ashburn")


def test_a_dump_is_searched_as_it_comes_and_home_is_its_control() -> None:
    cluster = FakeCluster(b"COPY customer\n" + US.value.encode(), b"\n" + EU.value[:9].encode(), EU.value[9:].encode())
    report = look(database(cluster))
    assert leaks(report) == [("eu/email", "UTF-8", 1)]
    assert report.control == 1
    assert cluster.asked[:3] == ["data-commerce", "commerce-ashburn-2", "postgres"]


def test_a_database_without_what_was_planted_at_home_is_not_proven() -> None:
    report = look(database(FakeCluster(b"nobody is here")))
    assert (report.verdict, report.leaks) == (Verdict.NOT_PROVEN, ())
    assert "control was not found" in report.problems[-1]


def test_a_database_of_a_jurisdiction_without_customers_is_not_proven() -> None:
    report = look(database(FakeCluster(b"nobody is here")), "headquarters")
    assert report.verdict is Verdict.NOT_PROVEN
    assert "no customer was planted" in report.problems[0]


def test_a_dump_that_breaks_off_is_not_proven_and_what_it_showed_counts() -> None:
    assert look(database(FakeCluster(US.value.encode(), ends=False))).verdict is Verdict.NOT_PROVEN
    report = look(database(FakeCluster(EU.value.encode() + US.value.encode(), ends=False)))
    assert report.verdict is Verdict.LEAK


@pytest.mark.parametrize("path", OBJECTS)
def test_objects_are_searched_also_where_their_values_are_base64(path: str) -> None:
    encoded = base64.b64encode(EU.value.encode()).decode()
    secret = {"metadata": {"namespace": "shop", "name": "notes"}, "data": {"a": encoded}}
    cluster = FakeCluster(objects={path: [secret]})
    report = look(ClusterObjects("objects", client_of(cluster)))
    assert [each.token for each in report.leaks] == ["eu/email"]
    assert "shop/notes" in report.leaks[0].positions[0]
    assert report.control == 1


# etcd


@contextmanager
def etcd(keys: dict[bytes, bytes], *, keeps: bool = True) -> Iterator[str]:
    """Answer like etcd's JSON gateway."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            key = base64.b64decode(asked["key"])
            answer: dict[str, Any] = {"header": {"revision": "7"}}
            if self.path == "/v3/kv/put" and keeps:
                keys[key] = base64.b64decode(asked["value"])
            elif self.path == "/v3/kv/deleterange":
                keys.pop(key, None)
            elif self.path == "/v3/kv/range":
                found = sorted(each for each in keys if each >= key)
                page = found[: asked["limit"]]
                spelled = [{"key": base64.b64encode(each), "value": base64.b64encode(keys[each])} for each in page]
                answer["kvs"] = [{name: value.decode() for name, value in each.items()} for each in spelled]
                answer["more"] = len(found) > len(page)
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_every_key_of_an_etcd_is_searched_page_by_page() -> None:
    keys = {b"/registry/pods/%03d" % number: b"\x00pod" for number in range(350)}
    keys[b"/registry/secrets/shop/notes"] = b"k8s\x00" + EU.value.encode()
    with etcd(keys) as url:
        report = look(Etcd("keys", url))
    assert leaks(report) == [("eu/email", "UTF-8", 1)]
    assert "/registry/secrets/shop/notes" in report.leaks[0].positions[0]
    assert report.items == 352
    assert len(keys) == 351, "the control is gone"


def test_in_a_witness_that_spans_jurisdictions_nobody_is_at_home() -> None:
    with etcd({b"/shopsphere/rdc-a/note": US.value.encode()}) as url:
        assert look(Etcd("keys", url)).verdict is Verdict.CLEAN
        assert leaks(look(Etcd("keys", url, shared=True))) == [("us/email", "UTF-8", 1)]


def test_an_etcd_that_shows_no_control_is_not_proven() -> None:
    with etcd({b"a": b"b"}, keeps=False) as url:
        assert look(Etcd("keys", url)).verdict is Verdict.NOT_PROVEN


def test_an_etcd_that_does_not_answer_is_not_proven() -> None:
    report = look(Etcd("keys", "http://127.0.0.1:9"))
    assert (report.verdict, report.octets) == (Verdict.NOT_PROVEN, 0)


# edge


class FakeAuthority:
    def __init__(self, *rrsets: RRset) -> None:
        self.kept = rrsets

    def zone_names(self) -> list[str]:
        return ["shopsphere.test."]

    def rrsets(self, _zone: str) -> list[RRset]:
        return list(self.kept)


def itself(authority: DnsAuthority) -> DnsAuthority:
    return authority


def test_a_token_in_a_record_is_found() -> None:
    clean = RRset("www.shopsphere.test.", "A", 5, ("10.99.0.11",))
    leak = RRset("notes.shopsphere.test.", "TXT", 5, (f'"{EU.value.encode().hex()}"',))
    for rrsets, verdict in (((clean,), Verdict.CLEAN), ((clean, leak), Verdict.LEAK), ((), Verdict.NOT_PROVEN)):
        authority = cast(DnsAuthority, FakeAuthority(*rrsets))
        report = look(Zones("ns1", partial(itself, authority), "shopsphere.test"), "")
        assert report.verdict is verdict
        assert {each.form for each in report.leaks} <= {"hexadecimal"}


@contextmanager
def cache(tmp_path: Path, *words: str) -> Iterator[CacheMemory]:
    """Run a process that remembers some words, and what it is asked for."""
    program = """import socket, sys
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
kept = []
while True:
    line, _ = server.accept()
    kept.append(line.recv(4096))
    line.sendall(b"HTTP/1.1 404 Not Found\\r\\n\\r\\n")
    line.close()
"""
    command = [sys.executable, "-c", program, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        (tmp_path / str(process.pid)).symlink_to(f"/proc/{process.pid}")
        name = Path(f"/proc/{process.pid}/comm").read_text().strip()
        try:
            yield CacheMemory("cache", (name,), port, "static.shopsphere.test", processes=tmp_path)
        finally:
            process.kill()


@pytest.mark.parametrize(("words", "verdict"), [((), Verdict.CLEAN), ((EU.value,), Verdict.LEAK)])
def test_the_memory_of_a_cache_is_searched(tmp_path: Path, words: tuple[str, ...], verdict: Verdict) -> None:
    with cache(tmp_path, *words) as place:
        report = look(place, "")
    assert report.verdict is verdict, report.problems
    assert report.octets > 1 << 20


def test_a_cache_that_does_not_run_is_not_proven(tmp_path: Path) -> None:
    with cache(tmp_path) as place:
        next(tmp_path.iterdir()).unlink()
        report = look(place, "")
    assert report.verdict is Verdict.NOT_PROVEN


# links


def frame(source: str, target: str, payload: bytes, *, port: int = 5432, protocol: int = 6) -> bytes:
    ports = struct.pack("!HH", 40000, port)
    inner = ports + (bytes(8) + b"\x50" + bytes(7) if protocol == 6 else bytes(4)) + payload
    addresses = socket.inet_aton(source) + socket.inet_aton(target)
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(inner), 1, 0, 64, protocol, 0) + addresses
    return bytes(12) + b"\x08\x00" + header + inner + bytes(4)  # and what pads a short frame


def search_frames(*frames: bytes, foreign: str = "10.99.0.21") -> Seen:
    return place_links.look_at(frames, frozenset({foreign}), Anchored(needles(EU)))


@pytest.mark.parametrize("protocol", [6, 17])
@pytest.mark.parametrize(("source", "target"), [("10.99.0.11", "10.99.0.21"), ("10.99.0.21", "10.99.0.11")])
def test_a_token_that_is_cut_by_packets_is_found(protocol: int, source: str, target: str) -> None:
    halves = [EU.value[:12].encode(), EU.value[12:].encode()]
    between = frame("10.99.0.11", "10.99.0.21", b"another conversation", port=80)
    one, other = (frame(source, target, half, protocol=protocol) for half in halves)
    seen = search_frames(one, between, other)
    assert seen.found.counts["eu/email", "UTF-8"] == 1
    assert f"{source} to {target}" in seen.found.positions["eu/email", "UTF-8"][0]


def test_what_stays_in_the_jurisdiction_is_not_looked_at() -> None:
    seen = search_frames(frame("10.99.0.11", "10.99.0.12", EU.value.encode()), b"\x00" * 60, b"short")
    assert (dict(seen.found.counts), seen.found.octets) == ({}, 0)


def test_more_flows_than_are_followed_are_finished_and_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place_links, "FLOWS_AT_ONCE", 3)
    flows = [frame("10.99.0.11", "10.99.0.21", EU.value.encode(), port=1000 + number) for number in range(10)]
    assert search_frames(*flows).found.counts["eu/email", "UTF-8"] == 10


def test_a_real_interface_shows_the_control_and_a_leak() -> None:
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()
    except PermissionError:
        pytest.skip("needs the right to listen on an interface")
    address = "127.9.9.9"  # not that of other programs on this machine
    place = Links("links", "lo", [address], seconds=3)
    over = threading.Event()

    def leak() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while not over.wait(0.05):
                for each in TOKENS:  # on a link that leads out, nobody is at home
                    sender.sendto(each.value.encode(), (address, 9))

    sender = threading.Thread(target=leak, daemon=True)
    sender.start()
    report = look(place)
    over.set()
    sender.join()
    assert report.control > 0
    assert {each.token for each in report.leaks} == {"eu/email", "us/email"}


# all of them


class Failing:
    name, kind, shared = "failing", "files", False

    @contextmanager
    def control(self, _word: str) -> Iterator[str]:
        yield HOME

    def look(self, _anchored: Anchored) -> Seen:
        raise PermissionError(13, "Permission denied", "/var/lib/secret")


def test_a_place_that_fails_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "leak").write_text(EU.value)
    places: list[Place] = [Failing(), Folder("volumes", tmp_path, Looked(0))]
    reports = look_at_places(places, TOKENS, jurisdiction="us", at="ashburn", seconds=60)
    assert [each.verdict for each in reports] == [Verdict.NOT_PROVEN, Verdict.LEAK]
    assert "Permission denied" in reports[0].problems[0]


def test_a_place_for_which_no_time_is_left_is_not_proven(tmp_path: Path) -> None:
    times = iter([0.0, 100.0, 101.0])
    place = Folder("volumes", tmp_path, Looked(0))
    (report,) = look_at_places([place], TOKENS, jurisdiction="us", at="x", seconds=10, monotonic=lambda: next(times))
    assert report.verdict is Verdict.NOT_PROVEN
    assert "no time was left" in report.problems[0]


def test_the_program_at_the_site_answers_with_counts_and_no_word_of_a_token(tmp_path: Path) -> None:
    (tmp_path / "leak").write_text(f"in a file: {EU.value}")
    request = {
        "at": "ashburn", "jurisdiction": "us", "since": 0, "seconds": 30,
        "tokens": [each.model_dump() for each in TOKENS],
        "places": [{"how": "folder", "name": "volumes", "path": str(tmp_path)}],
    }  # fmt: skip
    command = [sys.executable, "-m", "shopsphere.residency.searcher"]
    done = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True, check=True)
    (report,) = searcher.REPORTS.validate_json(done.stdout)
    assert report.verdict is Verdict.LEAK
    assert EU.value not in done.stdout
    assert US.value not in done.stdout


def test_a_request_that_is_none_is_refused_with_what_is_wrong() -> None:
    with pytest.raises(searcher.RequestError, match="tokens: Field required"):
        searcher.answer('{"at": "x", "jurisdiction": "", "since": 0, "seconds": 1, "places": []}')
