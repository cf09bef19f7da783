"""The one HTTP client of all sources: every failure ends as one clear line, without anything personal in it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec
import stamina

from fhir_adapters import exact_json
from fhir_adapters.breaker import Breaker
from fhir_adapters.source import SourceFailed, SourceSettings
from fhir_adapters.tls import tls_of

# httpx writes every URL to its log at INFO: an NHS number in a source's path must not get there.
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)

PASSING = frozenset({429, 500, 502, 503, 504})  # statuses that are worth another try
LARGEST = 64 * 1024 * 1024  # bytes of one answer; the largest published GP record is about 5 MB
LONGEST_WAIT = 2.0  # seconds between two tries, whatever Retry-After says: a pull must not hang

Params = Mapping[str, str | int | list[str]]
_T = TypeVar("_T")
_Reader = Callable[[httpx.Response, Collection[int]], _T]


@dataclass(frozen=True)
class Answer:
    """What came back. `json` has `ExactDecimal` for decimals, and is None where there was no JSON body."""

    json: Any
    headers: Mapping[str, str]  # names in lower case
    status: int


@dataclass(frozen=True)
class Download:
    """A file as it came: its bytes, and what the source says that it is, in lower case, without parameters."""

    content: bytes
    content_type: str


class _Passing(Exception):
    """A failure that may pass: tried again. `wait` is what the source asked for, in seconds."""

    def __init__(self, why: str, wait: float = 0.0) -> None:
        super().__init__(why)
        self.wait = wait


class Client:
    """One source over HTTP. Not reachable, late, wrong or broken: always `SourceFailed`, nothing else.

    A connection error, a timeout, 429 and 5xx are tried again, `settings.attempts` times in all. A POST is tried
    again as a GET is: sources are asked, never told. Redirects are not followed: they would carry our key elsewhere.
    Options of every HTTP source: `proxy`, `ca_file`, `client_certificate`, `client_key`.
    """

    def __init__(
        self,
        settings: SourceSettings,
        headers: Mapping[str, str] | None = None,
        auth: httpx.Auth | None = None,
        breaker: Breaker | None = None,
        largest: int = LARGEST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self.breaker = breaker or Breaker()
        self._largest = largest
        self._clock = clock
        self._base = _base(settings)
        self._http = httpx.Client(
            headers={"Accept": "application/fhir+json, application/json"} | dict(headers or {}),
            auth=auth,
            timeout=httpx.Timeout(settings.timeout, connect=min(settings.timeout, 5.0)),
            follow_redirects=False,
            verify=tls_of(settings),
            proxy=settings.options.get("proxy"),
            trust_env=False,  # a proxy of the environment must not see patient data unasked
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives the connections back."""
        self._http.close()

    def get(
        self,
        path: str,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        expect: Collection[int] = (),
    ) -> Answer:
        """The answer of GET. `path` is relative to the source's URL, or a whole URL on the same host (a next link).

        `expect` names statuses other than 2xx that the caller understands. Raises SourceFailed.
        """
        return self._ask("GET", path, expect, self._read, params=params, headers=headers)

    def post(
        self,
        path: str,
        json: Any,
        headers: Mapping[str, str] | None = None,
        expect: Collection[int] = (),
    ) -> Answer:
        """The answer of POST with a JSON body (as FHIR JSON unless `headers` say otherwise). Raises SourceFailed."""
        typed = {"Content-Type": "application/fhir+json"} | dict(headers or {})
        return self._ask("POST", path, expect, self._read, content=exact_json.dumps(json), headers=typed)

    def download(self, path: str) -> Download:
        """A file by GET, from this source alone: a whole URL must be on its host. Raises SourceFailed."""
        return self._ask("GET", path, (), self._file, headers={"Accept": "*/*"})

    def fail(self, why: str) -> NoReturn:
        """Stops the pull of this source with that line."""
        raise SourceFailed(self.settings.name, why)

    def _ask(self, method: str, path: str, expect: Collection[int], read: _Reader[_T], **request: Any) -> _T:
        url = self._url(path)
        wait = self.breaker.wait(self._clock())
        if wait:
            failed = self.breaker.failures
            self.fail(f"failed {failed} times in a row; left alone for another {wait:.0f} s")
        try:
            answer = self._tried(method, url, expect, read, request)
        except _Passing as gave_up:
            self.breaker.failed(self._clock())
            raise SourceFailed(self.settings.name, str(gave_up)) from gave_up
        except SourceFailed:
            self.breaker.failed(self._clock())
            raise
        self.breaker.succeeded()
        return answer

    def _tried(self, method: str, url: str, expect: Collection[int], read: _Reader[_T], request: dict[str, Any]) -> _T:
        tries = stamina.retry_context(
            on=_again, attempts=max(1, self.settings.attempts), timeout=None, wait_max=LONGEST_WAIT, wait_jitter=0.1
        )
        for attempt in tries:
            with attempt:
                return self._once(method, url, expect, read, request)
        raise AssertionError("stamina tries at least once")

    def _once(self, method: str, url: str, expect: Collection[int], read: _Reader[_T], request: dict[str, Any]) -> _T:
        try:
            with self._http.stream(method, url, **request) as response:
                return read(response, expect)
        except httpx.TimeoutException as late:
            raise _Passing(f"no answer in {self.settings.timeout:g} s") from late
        except httpx.ConnectError as down:
            raise _Passing("not reachable") from down
        except (httpx.NetworkError, httpx.RemoteProtocolError) as broken:
            raise _Passing("half an answer: the connection broke before its end") from broken
        except httpx.DecodingError as wrong:
            raise SourceFailed(self.settings.name, "the answer's compression is broken") from wrong
        except (httpx.HTTPError, httpx.InvalidURL) as wrong:
            raise SourceFailed(self.settings.name, f"can't be asked ({type(wrong).__name__})") from wrong

    def _read(self, response: httpx.Response, expect: Collection[int]) -> Answer:
        status = response.status_code
        headers = {name.lower(): value for name, value in response.headers.items()}
        if not response.is_success and status not in expect:
            self._refuse(status, headers)
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if status == 204 or not (response.is_success or _is_json(kind)):
            return Answer(None, headers, status)
        if not _is_json(kind):
            self.fail(f"wrong content type {kind[:60] or '(none)'}, expected JSON")
        return Answer(self._json(self._body(response)), headers, status)

    def _file(self, response: httpx.Response, expect: Collection[int]) -> Download:
        if not response.is_success:
            self._refuse(response.status_code, {name.lower(): value for name, value in response.headers.items()})
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return Download(self._body(response), kind)

    def _refuse(self, status: int, headers: Mapping[str, str]) -> NoReturn:
        if status in PASSING:
            raise _Passing(f"answered {status}", _seconds(headers.get("retry-after", "")))
        if status in (401, 403):
            self.fail(f"answered {status}: it does not accept our credentials")
        self.fail(f"answered {status}")

    def _body(self, response: httpx.Response) -> bytes:
        """The whole body; a drip of bytes may not take longer than the timeout either."""
        parts, size, start = [], 0, self._clock()
        for part in response.iter_bytes():
            parts.append(part)
            size += len(part)
            if size > self._largest:
                self.fail(f"the answer is larger than {self._largest // 1024} kB")
            if self._clock() - start > self.settings.timeout:
                raise _Passing(f"the answer did not end in {self.settings.timeout:g} s")
        return b"".join(parts)

    def _json(self, body: bytes) -> Any:
        try:
            return exact_json.loads(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
            raise SourceFailed(self.settings.name, f"malformed JSON: {_why_malformed(body, wrong)}") from wrong

    def _url(self, path: str) -> str:
        if "://" not in path:
            return self._base + path.lstrip("/")
        if _origin(path) != _origin(self._base):
            self.fail("a link of its answer leads to another host; not followed")
        return path


def _base(settings: SourceSettings) -> str:
    """The source's URL with one slash at its end. Raises SourceFailed where it is none."""
    if urlsplit(settings.url).scheme not in ("http", "https") or not urlsplit(settings.url).hostname:
        raise SourceFailed(settings.name, "has no http(s) URL: set it in sources.toml or the environment")
    return settings.url.rstrip("/") + "/"


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _is_json(content_type: str) -> bool:
    return content_type == "application/json" or content_type.endswith("+json")


def _again(raised: Exception) -> bool | float:
    """For stamina: whether to try again, or in how many seconds."""
    if not isinstance(raised, _Passing):
        return False
    return min(raised.wait, LONGEST_WAIT) or True


def _seconds(retry_after: str) -> float:
    return float(retry_after) if retry_after.isdecimal() else 0.0


def _why_malformed(body: bytes, wrong: Exception) -> str:
    if isinstance(wrong, UnicodeDecodeError):
        return f"not UTF-8 (byte {_first_not_utf8(body)})"
    if isinstance(wrong, RecursionError):
        return "nested too deeply"
    if not body:
        return "the answer is empty"
    return str(wrong) if "byte" in str(wrong) else f"{wrong} (byte {len(body)})"


def _first_not_utf8(body: bytes) -> int:
    """Where in the whole body: the JSON decoder only says where in its string."""
    try:
        body.decode()
    except UnicodeDecodeError as wrong:
        return wrong.start
    return len(body)
