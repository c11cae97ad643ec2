"""A network between a workspace and its sandbox that cuts each write off once, in the middle. Decides no retry."""

from __future__ import annotations

import re
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

WRITES = re.compile(rb"^(POST|PATCH|PUT|DELETE) (?!/sandbox)(\S+)")
LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


class Cutting:
    """One connection after the other; ``where`` is "request" or "answer". ``cut`` counts what was cut off."""

    def __init__(self, url: str, where: str) -> None:
        self._port, self._where = urlsplit(url).port, where
        self.cut: Counter[bytes] = Counter()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with suppress(OSError), client, socket.create_connection(("127.0.0.1", self._port or 80)) as server:
            while request := _message(client):
                named = WRITES.match(request)
                first = named is not None and not self.cut[request]
                if named is not None and first:
                    self.cut[request] += 1
                if first and self._where == "request":
                    server.sendall(request[: len(request) // 2])
                    return
                server.sendall(request)
                answer = _message(server)
                if first:
                    client.sendall(answer[: len(answer) // 2])
                    return
                client.sendall(answer)


def _message(stream: socket.socket) -> bytes:
    """One whole request or answer; b"" at the end."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        part = stream.recv(65_536)
        if not part:
            return b""
        raw += part
    head = raw.index(b"\r\n\r\n") + 4
    length = LENGTH.search(raw[:head])
    while len(raw) < head + int(length[1] if length else 0):
        part = stream.recv(65_536)
        if not part:
            return b""
        raw += part
    return raw


@contextmanager
def cutting(state_dir: Path, url: str, where: str) -> Iterator[Cutting]:
    """Commands on the workspace of ``state_dir`` reach the sandbox at ``url`` through it."""
    network = Cutting(url, where)
    (state_dir / "address").write_text(network.url)
    try:
        yield network
    finally:
        (state_dir / "address").write_text(url)
        network.close()
