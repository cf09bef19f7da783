"""A POST to somebody else's server that the place allows: to that address and no other, and not for long.

The address is looked up once, looked at, and connected to as it was looked at: a name that changes its mind leads
nowhere. No redirect is followed and no answer is read but its status.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

import httpcore

from carelink.place import LOOPBACK, Subscriber

CONNECT, WHOLE = 3.0, 10.0  # seconds: for a connection, and for everything from the name to the status
_PIECE = 65_536  # bytes that are sent between two looks at the clock


@dataclass(frozen=True)
class Posted:
    """How it went: `why` it failed, empty where it did not; `left`: a byte of it may have arrived."""

    why: str = ""
    left: bool = True


def post(url: str, to: Subscriber, body: bytes, headers: Mapping[str, str]) -> Posted:
    """Send it. Whatever goes wrong is told, nothing is raised."""
    line = _Line(to, monotonic() + WHOLE)
    try:
        return _status(line, url, body, headers)
    except _Refused as refused:
        return Posted(str(refused), left=False)
    except (httpcore.TimeoutException, TimeoutError):
        return Posted("it did not answer in time", left=line.wrote)
    except httpcore.ConnectError:
        return Posted("it can't be reached", left=line.wrote)
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as broken:
        return Posted(f"the connection broke ({type(broken).__name__})", left=line.wrote)
    except Exception as wrong:  # noqa: BLE001  another's server, and what it makes of ours, must stop nobody
        return Posted(f"it can't be sent ({type(wrong).__name__})", left=line.wrote)


def _status(line: _Line, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
    sent = {
        "Content-Type": "application/fhir+json",
        "User-Agent": "CareLink",
        "Content-Length": str(len(body)),
        **headers,
    }
    with (
        httpcore.ConnectionPool(ssl_context=ssl.create_default_context(), network_backend=line, retries=0) as pool,
        pool.stream("POST", url, headers=list(sent.items()), content=body, extensions={"timeout": _times()}) as answer,
    ):
        good = 200 <= answer.status < 300
        return Posted() if good else Posted(f"it answered {answer.status}")


def _times() -> dict[str, float]:
    return {"connect": CONNECT, "read": WHOLE, "write": WHOLE, "pool": WHOLE}


class _Refused(Exception):
    """The place does not send there."""


class _Line(httpcore.NetworkBackend):
    """The network, as far as it is allowed, until the time is up."""

    def __init__(self, to: Subscriber, ends: float) -> None:
        self.to, self.ends, self.wrote = to, ends, False

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        number = _address(host, port, self.to)
        return _Hurried(httpcore.SyncBackend().connect_tcp(number, port, timeout=timeout), self)

    def left(self, timeout: float | None) -> float:
        """Seconds until the time is up. Raises `httpcore.ReadTimeout` where it is."""
        remaining = self.ends - monotonic()
        if remaining <= 0:
            raise httpcore.ReadTimeout("the time is up")
        return min(remaining, timeout or remaining)


class _Hurried(httpcore.NetworkStream):
    """A connection on which a drip of bytes takes no longer than anything else."""

    def __init__(self, stream: httpcore.NetworkStream, line: _Line) -> None:
        self._stream, self._line = stream, line

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._line.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._line.wrote = True  # what is written here is a request: TLS shakes hands below
        for start in range(0, len(buffer), _PIECE):
            self._stream.write(buffer[start : start + _PIECE], self._line.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secure = self._stream.start_tls(ssl_context, server_hostname, self._line.left(timeout))
        return _Hurried(secure, self._line)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _address(host: str, port: int, to: Subscriber) -> str:
    """The number of that host. Raises `_Refused` where one of its numbers is where nothing may be sent."""
    try:
        found = [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as unknown:
        raise _Refused("its name is not known") from unknown
    if not found or not all(may_go(number, host, to) for number in found):
        raise _Refused("it is at an address on a private network, which the place does not allow for it")
    return found[0]


def may_go(number: str, host: str, to: Subscriber) -> bool:
    """Whether something may be sent to that IP address, which the host of the place's list has."""
    plain = ipaddress.ip_address(number.partition("%")[0])
    address = getattr(plain, "ipv4_mapped", None) or plain
    if address.is_loopback:
        return host in LOOPBACK
    if address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved:
        return False
    return address.is_global or (to.private_network and address.is_private)
