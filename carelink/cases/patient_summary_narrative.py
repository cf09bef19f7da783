"""The words of a patient summary as XHTML that any system may show: text and lists, nothing else (FHIR R4 2.4.0). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from carelink.cases.patient_summary_sections import Item
from carelink.record.timeline_dates import Precision, short, time_of_day

_START, _END = '<div xmlns="http://www.w3.org/1999/xhtml">', "</div>"
_NOT_TEXT = dict.fromkeys(number for number in range(32) if number not in (9, 10, 13))  # XML 1.0, 2.2


def div(*parts: str) -> str:
    """The whole, of parts that are XHTML already."""
    return _START + "".join(parts) + _END


def paragraph(words: str, kind: str = "") -> str:
    """One sentence or more; `kind` is its class."""
    named = f' class="{kind}"' if kind else ""
    return f"<p{named}>{_text(words)}</p>"


def bullets(lines: Iterable[str]) -> str:
    """A list; nothing where there is no line."""
    said = "".join(f"<li>{_text(one)}</li>" for one in lines)
    return f"<ul>{said}</ul>" if said else ""


def items(told: Sequence[Item]) -> str:
    """Each in words: what it is, its state, since when, who says so, and what else is said of it."""
    return "<ul>" + "".join(f"<li>{_item(one)}</li>" for one in told) + "</ul>"


def _item(one: Item) -> str:
    said = one.entry
    state = f" ({said.state})" if said.state else ""
    when = " ".join(filter(None, (short(said.when, said.precision), time_of_day(said.when, said.precision))))
    dated = f", {when}" if when and said.precision is not Precision.NONE else ""
    told_by = f" ({one.source})" if one.source else ""
    return _text(f"{said.title}{state}{dated}{told_by}") + "".join(f"<br/>{_text(line)}" for line in said.lines)


def _text(words: str) -> str:
    return escape(words.translate(_NOT_TEXT), quote=False)
