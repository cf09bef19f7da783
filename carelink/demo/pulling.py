"""Pulls what was not pulled to its end before, source by source, with a progress bar each."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from carelink.jobs.pull import pull
from carelink.jobs.shop import Shop
from carelink.place import SourceEntry
from carelink.record import source_state
from fhir_adapters.source import Batch


def pull_all(shop: Shop, console: Console) -> int:
    """In the order of the place; gives how many sources were pulled. One that fails does not stop the others."""
    with shop.engine.connect() as conn:
        standings = source_state.standings(conn)
    missing = [
        entry for entry in shop.place.sources if entry.name not in standings or standings[entry.name].good_at is None
    ]
    if missing:
        with _bars(console) as bars:
            for entry in missing:
                _pull(shop, bars, entry)
    return len(missing)


def _bars(console: Console) -> Progress:
    columns = (TextColumn("{task.description:<28}"), BarColumn(16), MofNCompleteColumn())
    return Progress(*columns, TextColumn("{task.fields[told]}"), console=console)


def _pull(shop: Shop, bars: Progress, entry: SourceEntry) -> None:
    bar = bars.add_task(entry.label, total=None, told="")
    seen = _Seen(bars, bar)
    report = pull(shop.engine, shop.place, shop.settings, entry.name, shop.clock, seen)
    told = report.why or f"{report.stored:,} resources, {report.quarantined} quarantined"
    bars.update(bar, total=seen.done or 1, completed=seen.done or 1, told=told)


class _Seen:
    """Moves a bar on after each batch; counts what came where the source does not say how far it is."""

    def __init__(self, bars: Progress, bar: TaskID) -> None:
        self._bars, self._bar = bars, bar
        self.done = 0

    def __call__(self, batch: Batch) -> None:
        self.done = batch.done or self.done + len(batch.items)
        self._bars.update(self._bar, completed=self.done, total=batch.total)
