"""A model hub on loopback: the endpoints that huggingface_hub asks, over real HTTP, with faults on request."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = ("pytorch_model.bin", "model.safetensors")  # kept elsewhere, reached through a redirect, with a known hash


class Hub(ThreadingHTTPServer):
    """Serves one folder as one repository.

    Attributes:
        faults: any of "break" (the first download of the weights stops halfway), "hash" (the weights come altered),
            "moved" (the repository has another name now), "down" (every answer is 503).
        asked: every request, as "METHOD /path [range]".
    """

    daemon_threads = True

    def __init__(self, folder: Path, repository: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder, self.repository = folder, repository
        self.faults: set[str] = set()
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def other_host(self) -> str:
        """The same server by another name: large files lie on another host, as they do on the real hub."""
        return f"http://localhost:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, with_body: bool) -> None:
        hub, path = self.server, self.path.partition("?")[0]
        hub.asked.append(" ".join(filter(None, [self.command, path, self.headers.get("Range")])))
        if "down" in hub.faults:
            return self._send(503, {}, b"", with_body)
        repository = f"moved/{hub.repository.split('/')[1]}" if "moved" in hub.faults else hub.repository
        if repository != hub.repository and f"/{hub.repository}" in path:
            return self._send(307, {"Location": path.replace(hub.repository, repository)}, b"", with_body)
        if path.startswith(f"/api/models/{repository}"):
            wanted = path.partition("/revision/")[2]
            if wanted not in ("", "main", COMMIT):
                return self._send(404, {"X-Error-Code": "RevisionNotFound"}, b"", with_body)
            return self._send(200, {"Content-Type": "application/json"}, self._info(), with_body)
        if path.startswith(f"/{repository}/resolve/"):
            return self._resolve(path.rpartition("/")[2], with_body)
        if path.startswith("/elsewhere/"):
            return self._file(hub.folder / path.rpartition("/")[2], with_body)
        return self._send(404, {"X-Error-Code": "RepoNotFound"}, b"", with_body)

    def _info(self) -> bytes:
        files: list[dict[str, object]] = []
        for path in sorted(self.server.folder.iterdir()):
            entry: dict[str, object] = {"rfilename": path.name, "size": path.stat().st_size, "blobId": "0" * 40}
            if path.name in LARGE:
                entry["lfs"] = {"sha256": _hash(path), "size": path.stat().st_size, "pointerSize": 1}
            files.append(entry)
        return json.dumps({"id": self.server.repository, "sha": COMMIT, "siblings": files}).encode()

    def _resolve(self, name: str, with_body: bool) -> None:
        path = self.server.folder / name
        if not path.is_file():
            return self._send(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT}, b"", with_body)
        headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{_hash(path)}"'}
        if name not in LARGE:
            return self._send(200, headers, path.read_bytes(), with_body)
        linked = {"X-Linked-Etag": headers["ETag"], "X-Linked-Size": str(path.stat().st_size)}
        return self._send(
            302, headers | linked | {"Location": f"{self.server.other_host}/elsewhere/{name}"}, b"", with_body
        )

    def _file(self, path: Path, with_body: bool) -> None:
        data, faults = path.read_bytes(), self.server.faults
        if "hash" in faults:
            data = data[:-100] + bytes(100)
        begin = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").partition("-")[0])
        headers = {"ETag": f'"{_hash(path)}"', "Accept-Ranges": "bytes"}
        if begin:
            headers["Content-Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
        if "break" in faults and with_body:
            faults.discard("break")
            self._headers(200, headers, len(data))
            self.wfile.write(data[: len(data) // 2])
            self.wfile.flush()
            self.connection.close()
            self.close_connection = True
            return
        self._send(206 if begin else 200, headers, data[begin:], with_body)

    def _send(self, status: int, headers: dict[str, str], body: bytes, with_body: bool) -> None:
        self._headers(status, headers, len(body))
        if with_body:
            self.wfile.write(body)

    def _headers(self, status: int, headers: dict[str, str], length: int) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(length)}).items():
            self.send_header(name, value)
        self.end_headers()


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextmanager
def serving(folder: Path, repository: str) -> Generator[Hub]:
    """A hub that runs while the block does."""
    hub = Hub(folder, repository)
    thread = threading.Thread(target=hub.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join()
