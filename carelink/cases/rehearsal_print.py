"""What came out of trying a place pack, as one HTML document that refers to nothing outside: to be mailed or kept."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape

from carelink.cases.rehearsal_report import Report, named
from carelink.clock import LONDON
from carelink.place import Place
from carelink.record.timeline_dates import whole

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).resolve().parent / "templates"),
    autoescape=select_autoescape(),
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(report: Report, place: Place, now: datetime) -> str:
    """The document; the tried pack has the names."""
    told = _TEMPLATES.get_template("what_if.html")
    rows = [(row, *named(row, place)) for row in report.rows]
    return told.render(report=report, rows=rows, words=place.words, made=whole(now.astimezone(LONDON)))
