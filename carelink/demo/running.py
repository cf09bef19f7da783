"""The whole system on one machine with invented people: brings it up, pulls, tells, and ends it all again."""

from __future__ import annotations

import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from redis.exceptions import RedisError
from rich.console import Console

from carelink import place_loader, settings
from carelink.consent import policies
from carelink.db import sync
from carelink.demo import client
from carelink.demo.children import Child, Children
from carelink.demo.environment import Folder, Sources, plain
from carelink.demo.figures import figures, tell, tell_sign_ins
from carelink.demo.ports import answers, any_port, page_port, ports_in_a_row
from carelink.demo.pulling import pull_all
from carelink.jobs import index_changed, labels_changed, place_changed, redis_queue, watch
from carelink.jobs.shop import Shop, open_shop
from carelink.place import Place

WATCH = 0.5  # seconds between two looks at the children
PORTS = 4  # of the simulated sources; the fifth is a folder
LONGEST_SOCKET = 100  # characters; the kernel allows 107


@dataclass(frozen=True)
class Asked:
    """The options of `carelink demo`."""

    people: int
    port: int | None
    folder: Path
    seed: int
    once: bool = False


def run(asked: Asked, console: Console) -> None:
    """Until Ctrl-C or SIGTERM; with `once`, until it was told. Raises `CareLinkError` where it can't be brought up."""
    began = time.monotonic()
    place = place_loader.load(settings.load(plain()).place)
    port = page_port(asked.port)
    folder = Folder(asked.folder.resolve())
    folder.open_for(asked.people, asked.seed)
    with folder.held(), _ended_by_signals(), Children(folder.logs) as children:
        try:
            _bring_up(children, asked, folder, place, port, console, began)
            while not asked.once:
                time.sleep(WATCH)
                for name in children.look_after():
                    console.print(f"{name} had ended and was started again")
        except KeyboardInterrupt:
            console.print("Ending")
        finally:
            folder.forget_environment()


def _bring_up(
    children: Children, asked: Asked, folder: Folder, place: Place, port: int, console: Console, began: float
) -> None:
    base = f"http://127.0.0.1:{port}"
    environ = plain() | {"CARELINK_SECRET_KEY": folder.secret_key, "CARELINK_BASE_URL": base}
    environ["CARELINK_EXPORTS"] = str(folder.path / "exports")
    console.print("Starting the database, the sources and the sign-in")
    environ["CARELINK_DATABASE_URL"] = _database(children, folder, environ)
    sources = _simulators(children, asked, folder, environ)
    environ |= sources.environ() | {"CARELINK_COHORT": str(folder.cohort)}
    environ |= _provider(children, place, folder, environ, base)
    environ |= _redis(children, folder, environ, console)
    folder.keep_environment({name: value for name, value in environ.items() if name.startswith("CARELINK_")})
    with _shop(environ) as shop:
        _pull(shop, environ, console)
        with shop.engine.begin() as conn:
            client.register(conn, place, folder)
        _workers(children, environ | folder.sealing())
        _web(children, environ, port)
        with shop.engine.begin() as conn:
            found = figures(conn, shop.clock())
    tell(console, place, found, time.monotonic() - began)
    tell_sign_ins(console, place, sources.people)
    client.tell(console, place, asked.folder, base)
    console.print(f"\nCareLink is at {base}", style="bold", highlight=False)
    if not asked.once:
        console.print("Ctrl-C ends it; the next start finds everything again.", style="dim")


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and a closed terminal end it as Ctrl-C does; under nohup the terminal may close."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    heard = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, end) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _shop(environ: Mapping[str, str]) -> Iterator[Shop]:
    shop = open_shop(settings.load(environ))
    try:
        yield shop
    finally:
        shop.engine.dispose()


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def _database(children: Children, folder: Folder, environ: Mapping[str, str]) -> str:
    """PostgreSQL's URL: with the schema of today."""
    command = _python("carelink.demo.database", str(folder.postgres))
    return children.start("postgres", command, environ, speaks=True, keep=True).said


def _simulators(children: Children, asked: Asked, folder: Folder, environ: Mapping[str, str]) -> Sources:
    chosen = ("--people", str(asked.people), "--seed", str(asked.seed), "--dir", str(folder.path / "sources"))
    ports = ("--port-base", str(ports_in_a_row(PORTS)))  # so that they come back in the same place
    command = _python("fhir_adapters.simulators", *chosen, *ports)
    child = children.start("sources", command, environ, speaks=True, keep=True)
    sources = Sources.read(child.said)
    folder.cohort.write_text("".join(f"{line}\n" for line in sources.cohort), "utf-8")
    folder.people.write_text(json.dumps([dict(one) for one in sources.people]), "utf-8")
    return sources


def _provider(
    children: Children, place: Place, folder: Folder, environ: Mapping[str, str], base: str
) -> dict[str, str]:
    """The development sign-in. Its client's secret is new at every start."""
    port = any_port()
    known = {"CARELINK_OIDC_CLIENT_ID": "carelink", "CARELINK_OIDC_CLIENT_SECRET": secrets.token_urlsafe(24)}
    command = _python(
        "carelink.identity.dev_provider",
        *("--port", str(port), "--place", str(place.folder)),
        *("--redirect", f"{base}/signed-in", "--people", str(folder.people)),
    )
    children.start("sign-in", command, {**environ, **known}, ready=lambda: answers(port), keep=True)
    return {**known, "CARELINK_OIDC_ISSUER": f"http://127.0.0.1:{port}"}


def _redis(children: Children, folder: Folder, environ: Mapping[str, str], console: Console) -> dict[str, str]:
    """Redis as a child where there is one. It keeps nothing on disk: the outbox is the truth."""
    server = settings.redis_server()
    if server is None:
        console.print("There is no redis-server here: one worker does the jobs straight from the outbox", style="dim")
        return {}
    socket = folder.path / "redis.sock"
    if len(str(socket)) > LONGEST_SOCKET:
        port, password = any_port(), secrets.token_urlsafe(24)
        where = ["--port", str(port), "--bind", "127.0.0.1", "--requirepass", password]
        url = f"redis://:{password}@127.0.0.1:{port}/0"
    else:
        where = ["--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"]
        url = f"unix://{socket}?db=0"
    command = [server, *where, "--save", "", "--appendonly", "no", "--dir", str(folder.path)]
    children.start("redis", command, environ, ready=_redis_answers(url), keep=True)
    return {"CARELINK_REDIS_URL": url}


def _redis_answers(url: str) -> Callable[[], bool]:
    redis = redis_queue.connect(url)

    def ready() -> bool:
        with suppress(RedisError):
            return bool(redis.ping())
        return False

    return ready


def _pull(shop: Shop, environ: Mapping[str, str], console: Console) -> None:
    os.environ.update(environ)  # where and with which key each source is asked is read from there
    with shop.engine.begin() as conn:
        sync.sync(conn, shop.place)
        place_changed.note(conn, shop.place, shop.clock())
        watch.begin(conn, shop.clock())
        index_changed.note(conn, shop.clock())
        labels_changed.note(conn, shop.place, shop.clock())
        policies.note(conn, shop.place, shop.clock(), "start of the demo")
    if not pull_all(shop, console):
        console.print("Everything was pulled by an earlier start; what changed comes by schedule", style="dim")


def _workers(children: Children, environ: Mapping[str, str]) -> list[Child]:
    """With Redis the relay and two workers, else the one that needs none."""
    names = ["worker-1", "worker-2"] if "CARELINK_REDIS_URL" in environ else ["worker"]
    started = [children.start(name, _python("carelink.cli", "worker"), environ, keep=True) for name in names]
    if "CARELINK_REDIS_URL" in environ:
        started.append(children.start("relay", _python("carelink.cli", "relay"), environ, keep=True))
    return started


def _web(children: Children, environ: Mapping[str, str], port: int) -> None:
    workers = settings.load(environ).web_workers
    command = _python(
        "gunicorn",
        *("carelink.wsgi:create()", "--bind", f"127.0.0.1:{port}", "--workers", str(workers)),
        *("--preload", "--no-control-socket", "--graceful-timeout", "3", "--log-level", "warning"),
    )
    children.start("web", command, environ, ready=lambda: answers(port), keep=True)
