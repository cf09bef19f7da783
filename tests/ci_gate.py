"""In CI the browser and the RQ tests must have run: a run that skipped them, or found none, fails.

A part of the tests that was asked for by its path need not hold any; `make test` asks for all.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest

MUST_RUN = ("browser", "rq")


class MustRun:
    """Counts, where the whole run comes together, and says at its end what is missing."""

    def __init__(self, everything: bool) -> None:
        self.everything = everything
        self.ran: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self.files: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for mark in MUST_RUN:
            if mark in report.keywords:
                self.ran[mark] += report.when == "call" and not report.skipped
                self.skipped[mark] += report.skipped and not hasattr(report, "wasxfail")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self.files.append(report.nodeid)

    def missing(self) -> list[str]:
        """What should have run; empty where nothing is amiss."""
        skipped = [f"{mark}: {self.skipped[mark]} skipped" for mark in MUST_RUN if self.skipped[mark]]
        none = [f"{mark}: none was run" for mark in MUST_RUN if self.everything and not self.ran[mark]]
        return [*skipped, *none, *(f"{file}: skipped whole" for file in self.files)]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.missing() and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for line in self.missing():
            terminalreporter.write_line(f"must run in CI: {line}", red=True)


def install(config: pytest.Config) -> None:
    """`pytest_configure`: only in CI, and not in the workers of a run over several processes."""
    if os.environ.get("CI") and not hasattr(config, "workerinput") and not config.option.collectonly:
        everything = config.args_source is pytest.Config.ArgsSource.TESTPATHS
        config.pluginmanager.register(MustRun(everything), "must-run-in-ci")
