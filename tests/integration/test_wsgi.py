"""A web server that is set up wrongly ends with one line that names the key, however it loads the application."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

GUNICORN = [sys.executable, "-m", "gunicorn", "carelink.wsgi:create()", "--bind", "127.0.0.1:0", "--no-control-socket"]
ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith("CARELINK_")}
SOUND = {"CARELINK_DATABASE_URL": "postgresql://nowhere/carelink", "CARELINK_SECRET_KEY": "k" * 32}

WRONG = [
    (SOUND | {"CARELINK_DATABASE_URL": ""}, "carelink: CARELINK_DATABASE_URL: must be set"),
    (SOUND | {"CARELINK_SECRET_KEY": ""}, "carelink: CARELINK_SECRET_KEY: must be set"),
    (SOUND | {"CARELINK_SESSION_MINUTES": "0"}, "carelink: CARELINK_SESSION_MINUTES: must be 1 or more"),
    (SOUND | {"CARELINK_PLACE": os.devnull}, "carelink: CARELINK_PLACE: is not a folder"),
]


@pytest.mark.parametrize("options", [(), ("--preload",)], ids=["in each worker", "preloaded"])
@pytest.mark.parametrize(("environ", "line"), WRONG)
def test_a_wrong_setting_ends_it_with_one_line_and_no_trace(
    environ: dict[str, str], line: str, options: tuple[str, ...]
) -> None:
    command = [*GUNICORN, "--log-level", "critical", *options]
    ended = subprocess.run(command, env=ENVIRON | environ, capture_output=True, text=True, timeout=60)
    assert ended.returncode != 0
    told = [said for said in ended.stderr.splitlines() if said]
    assert told[0].startswith(line)
    assert not [said for said in told if "Traceback" in said or said.startswith("  File")]
