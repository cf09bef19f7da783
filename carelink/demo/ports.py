"""Which port the demo answers on."""

from __future__ import annotations

import socket

from carelink.errors import Invalid

USUAL = 8000


def page_port(asked: int | None) -> int:
    """The port that was asked for, else 8000 or the next that is free. Raises `Invalid` where it is taken."""
    if asked is not None:
        if not _free(asked):
            raise Invalid("--port", f"{asked} is taken by another program; leave --port out to use the next free one")
        return asked
    return next((port for port in range(USUAL, USUAL + 100) if _free(port)), any_port())


def any_port() -> int:
    """A port of loopback that is free just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def ports_in_a_row(count: int) -> int:
    """The first of that many ports of loopback that are free just now."""
    while True:
        first = any_port()
        if first + count < 65536 and all(_free(port) for port in range(first, first + count)):
            return first


def _free(port: int) -> bool:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server will: what just closed is free
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Whether something listens there."""
    with socket.socket() as one:
        one.settimeout(0.5)
        return one.connect_ex(("127.0.0.1", port)) == 0
