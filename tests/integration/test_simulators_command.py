"""The command that runs all five sources: one line of JSON when ready, a clean end, the same people next time."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from fhir_adapters.simulators import cast


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    command = [sys.executable, "-m", "fhir_adapters.simulators", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_its_sources_are_and_ends_cleanly(tmp_path: Path, ending: signal.Signals):
    with running("--people", "30", "--dir", str(tmp_path)) as (process, told):
        assert {"gp", "hospital", "pds", "council-b", "council-a", "secrets", "cohort", "people"} <= told.keys()
        token = {"Authorization": f"Bearer {told['secrets']['hospital']}"}
        assert httpx.get(f"{told['hospital']}/Patient", headers=token).json()["total"] > 10
        key = {"X-Api-Key": told["secrets"]["council-b"]}
        assert httpx.get(f"{told['council-b']}/clients", headers=key).status_code == 200
        assert Path(told["council-a"], "people.csv").is_file()
        process.send_signal(ending)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out, err) == (0, "", "")
    with pytest.raises(httpx.ConnectError):
        httpx.get(told["pds"])


def test_its_cohort_names_everyone_and_the_published_records(tmp_path: Path, shared_examples: Path):
    with running("--people", "25", "--dir", str(tmp_path), "--shared-data", str(shared_examples)) as (_, told):
        assert len([line for line in told["cohort"] if line.startswith("999") and not line.endswith(",O001")]) == 25
        assert len([line for line in told["cohort"] if line.endswith((",A82038", ",B82617", ",GPC001"))]) == 11
        assert told["cohort"].count("9999999999,O001") == 1
        assert [one["nhs_number"] for one in told["people"]] == [cast.SIGNS_IN.nhs_number]


def test_without_published_examples_there_are_only_invented_people(tmp_path: Path):
    nowhere = str(tmp_path / "nowhere")
    with running("--people", "22", "--dir", str(tmp_path), "--shared-data", nowhere) as (_, told):
        assert len(told["cohort"]) == 22


def test_a_second_start_has_the_same_records_whatever_the_day(tmp_path: Path):
    def patients(*more: str) -> Any:
        with running("--people", "25", "--dir", str(tmp_path), *more) as (_, told):
            token = {"Authorization": f"Bearer {told['secrets']['hospital']}"}
            found = httpx.get(f"{told['hospital']}/Encounter?_count=500", headers=token).json()["entry"]
            return [entry["resource"] for entry in found]

    first = patients("--today", "2026-03-02")
    assert patients() == first
    assert patients("--today", "2026-03-09") != first
