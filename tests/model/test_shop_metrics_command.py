"""`shop metrics`: a pod's own figures, within bounds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from app.cli import main
from app.errors import ShopError
from app.metrics_command import MOST_BYTES, own_metrics

FIGURES = b"orders_unsettled 3\n"


class _Handler(BaseHTTPRequestHandler):
    status, body = 200, FIGURES

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/metrics" else 404)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_words: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def test_the_figures_are_printed(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    main(["metrics", str(port)])
    assert capsys.readouterr().out == "orders_unsettled 3\n"


def test_another_answer_is_an_error(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Handler, "status", 503)
    with pytest.raises(ShopError, match="answered 503 instead"):
        own_metrics(port)


def test_no_answer_is_an_error_and_no_trace(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["metrics", "1"])
    assert "port 1 of this pod does not tell its figures" in capsys.readouterr().err


def test_a_long_answer_is_cut(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Handler, "body", b"x" * (MOST_BYTES + 9))
    assert len(own_metrics(port)) == MOST_BYTES
