"""What a figure of `make bench` says of its target and of its floor. No test here measures time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import __main__ as bench
from benchmarks import figures
from benchmarks.figures import Figure, Floor, slowest, typical

FLOOR = Floor("COPY alone", 9000, 12000)


@pytest.mark.parametrize(
    ("value", "target", "at_least", "met"),
    [
        (1500, 1500, True, True),
        (1499, 1500, True, False),
        (80, 80, False, True),
        (80.1, 80, False, False),
        (1e9, None, False, True),
    ],
)
def test_a_target_is_a_least_or_a_most(value: float, target: float | None, at_least: bool, met: bool) -> None:
    assert Figure("it", value, "ms", target=target, at_least=at_least).met is met


def test_a_ratio_says_how_many_times_worse_than_the_floor_whichever_way_is_better() -> None:
    rate = Figure("ingest", 3000, "resources/s", 4000, FLOOR, at_least=True)
    assert (rate.ratio, rate.cpu_ratio) == (3, 3)
    time = Figure("page", 40, "ms", None, Floor("bare", 2, 1))
    assert (time.ratio, time.cpu_ratio) == (20, None)
    assert Figure("memory", 90, "MB").ratio is None


def test_the_middle_and_the_slowest_of_twenty_are_told() -> None:
    times = [float(one) for one in range(100, 0, -1)]
    assert (typical(times), slowest(times)) == (50.5, 96)
    assert slowest([7.0]) == 7


def test_the_json_keeps_what_the_table_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "RESULTS", tmp_path)
    missed = Figure("page", 90, "ms", 30, Floor("bare", 0.3, 0.2), target=80, about={"statements": 14})
    kept = json.loads(figures.write([missed], {"cores": 2}).read_text())
    (row,) = kept["figures"]
    assert (kept["cores"], row["value"], row["target"], row["met"]) == (2, 90, 80, False)
    assert (row["ratio"], row["floor"]["says"], row["about"]) == (300, "bare", {"statements": 14})


def test_a_benchmark_that_is_not_there_is_said_before_anything_is_started(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["speed"]) == 2
    assert "there is no benchmark speed" in capsys.readouterr().err
