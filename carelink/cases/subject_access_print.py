"""What is released, for people: a PDF with a contents page; where WeasyPrint is not installed, the same as a web page."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape

from carelink.cases.subject_access_answer import Answered
from carelink.clock import LONDON
from carelink.place import Organisation, Place
from carelink.record.timeline_dates import in_words, whole

PDF, HTML = "application/pdf", "text/html"
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).resolve().parent / "templates"),
    autoescape=select_autoescape(),
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["in_words"] = in_words


def page(answered: Answered, request: int, place: Place, home: Organisation, now: datetime) -> str:
    """The whole of it as one HTML document that refers to nothing outside."""
    told = _TEMPLATES.get_template("subject_access.html")
    return told.render(
        answered=answered,
        request=request,
        words=place.words,
        home=home,
        sources=[(entry.label, place.organisations[entry.organisation].name) for entry in place.sources],
        made=whole(now.astimezone(LONDON)),
    )


def printed(html: str) -> tuple[bytes, str]:
    """The bytes and their media type: PDF where this machine can make it."""
    try:
        import weasyprint  # the extra `print`; without Pango its import fails with OSError
    except (ImportError, OSError):
        return html.encode(), HTML
    return weasyprint.HTML(string=html, url_fetcher=_nothing).write_pdf(), PDF


def _nothing(url: str, *_: Any, **__: Any) -> Any:
    """A package of somebody's record fetches nothing, from nowhere."""
    raise ValueError("nothing is fetched")
