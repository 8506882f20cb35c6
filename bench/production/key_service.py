"""Stands for the owner's key management: what Pulumi asks of Vault's transit engine, on loopback. It hides nothing."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer

KEPT = "vault:v1:"


class Transit(BaseHTTPRequestHandler):
    """PUT /v1/transit/encrypt/KEY and decrypt/KEY."""

    def do_PUT(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "/transit/encrypt/" in self.path:
            data = {"ciphertext": KEPT + asked["plaintext"]}
        else:
            data = {"plaintext": asked["ciphertext"].removeprefix(KEPT)}
        answer = json.dumps({"data": data}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


HTTPServer(("127.0.0.1", 8200), Transit).serve_forever()
