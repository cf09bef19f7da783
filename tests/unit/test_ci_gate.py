"""With CI=true a run fails where browser or RQ tests were skipped, left out or not found; elsewhere it does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import ci_gate
import conftest
import pytest

SETTINGS = """
[tool.pytest.ini_options]
testpaths = ["tests"]
addopts = "-p no:cacheprovider"
pythonpath = ["{here}"]
markers = ["browser: b", "rq: r"]
"""
PLAIN = "def test_plain(): pass\n"
BROWSER = "import pytest\n@pytest.mark.browser\ndef test_page(): pass\n"
RQ = "import pytest\n@pytest.mark.rq\ndef test_queue(): pass\n"
NO_REDIS = "import pytest\n@pytest.mark.rq\ndef test_queue(): pytest.skip('no redis-server')\n"
NO_BROWSER = "import pytest\n@pytest.mark.browser\n@pytest.mark.skipif(True, reason='no')\ndef test_page(): pass\n"
NO_DRIVER = "import pytest\npytest.importorskip('no_such_driver')\n"

# tests, arguments, exit code with CI=true, what it says
RUNS = [
    ((PLAIN, BROWSER, RQ), (), 0, []),
    ((PLAIN, BROWSER, RQ), ("-n", "2"), 0, []),
    ((PLAIN, BROWSER, NO_REDIS), (), 1, ["rq: 1 skipped", "rq: none was run"]),
    ((PLAIN, BROWSER, NO_REDIS, RQ), ("-n", "2"), 1, ["rq: 1 skipped"]),
    ((PLAIN, NO_BROWSER, RQ), (), 1, ["browser: 1 skipped", "browser: none was run"]),
    ((PLAIN,), ("-n", "2"), 1, ["browser: none was run", "rq: none was run"]),
    ((PLAIN, BROWSER, RQ), ("-m", "not browser"), 1, ["browser: none was run"]),
    ((PLAIN, BROWSER, RQ, NO_DRIVER), (), 1, ["skipped whole"]),
    ((PLAIN, BROWSER, RQ), ("tests/test_0.py",), 0, []),
]


def run(folder: Path, tests: tuple[str, ...], arguments: tuple[str, ...], ci: bool) -> subprocess.CompletedProcess[str]:
    (folder / "pyproject.toml").write_text(SETTINGS.format(here=Path(ci_gate.__file__).parent))
    (folder / "tests").mkdir()
    (folder / "tests" / "conftest.py").write_text("from ci_gate import install as pytest_configure\n")
    for number, text in enumerate(tests):
        (folder / "tests" / f"test_{number}.py").write_text(text)
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "CI", "COV"))}
    environ |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} | ({"CI": "true"} if ci else {})
    told = [sys.executable, "-m", "pytest", *(("-p", "xdist") if "-n" in arguments else ()), *arguments]
    return subprocess.run(told, cwd=folder, env=environ, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(("tests", "arguments", "code", "words"), RUNS)
def test_in_ci_what_must_run_has_run(
    tmp_path: Path, tests: tuple[str, ...], arguments: tuple[str, ...], code: int, words: list[str]
) -> None:
    done = run(tmp_path, tests, arguments, ci=True)
    told = [line for line in done.stdout.splitlines() if line.startswith("must run in CI: ")]
    assert done.returncode == code, done.stdout + done.stderr
    assert len(told) == len(words)
    assert all(any(word in line for line in told) for word in words)


def test_elsewhere_a_skip_is_a_skip(tmp_path: Path) -> None:
    done = run(tmp_path, (PLAIN, NO_REDIS, NO_BROWSER), (), ci=False)
    assert (done.returncode, "must run" in done.stdout) == (0, False)


def test_the_gate_is_that_of_these_tests() -> None:
    assert conftest.pytest_configure is ci_gate.install
