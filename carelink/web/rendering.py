"""Jinja as the pages want it: NHS.UK macros, our filters, and what every page is told."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, g, session, url_for
from jinja2 import ChainableUndefined, PackageLoader

from carelink.web import purposes
from carelink.web.menu import Entry, menu
from carelink.web.parts import parts
from carelink.web.words import FILTERS

HERE = Path(__file__).resolve().parent
FOLDERS = {"static": HERE.parent / "static", "web.static": HERE / "assets"}


class CareLinkFlask(Flask):
    """Flask whose templates may use the NHS.UK macros, which want chained undefined values and escaping everywhere."""

    jinja_options = {**Flask.jinja_options, "undefined": ChainableUndefined, "autoescape": True}  # noqa: RUF012

    def log_exception(self, exc_info: Any) -> None:
        """Nothing: `failures` logs faults, and without what Flask would add: the path, and values in messages."""


@cache
def _print(endpoint: str, name: str) -> str:
    file = FOLDERS[endpoint] / name
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12] if file.is_file() else ""


def asset(name: str, endpoint: str = "web.static") -> str:
    """The address of a file of ours (or, from `static`, of npm's) that changes with its content."""
    return url_for(endpoint, filename=name, v=_print(endpoint, name))


def _told() -> dict[str, Any]:
    asked = g.get("requester")
    place = parts().place
    role = place.roles.get(asked.role) if asked else None
    organisation = place.organisations.get(asked.organisation) if asked else None
    return {
        "words": place.words,
        "me": asked,
        "my_role": role.label if role else "",
        "my_organisation": organisation.name if organisation else "",
        "looking": purposes.looking(place, asked) if asked else None,
        "menu": menu(g.lens) if "lens" in g else (),
        "late": _late,
        "signed_in": "user" in session,
        "asset": asset,
    }


def _late(entry: Entry) -> int:
    """How much is overdue on that page of the menu. The page of a failure asks the database nothing any more."""
    return entry.late(g.conn, g.lens) if entry.late is not None and "conn" in g else 0


def install(app: Flask) -> None:
    """Filters, loaders and common values for the templates of `app`."""
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.context_processor(_told)


def nhsuk_loader() -> PackageLoader:
    """The templates of the NHS.UK macros."""
    return PackageLoader("nhsuk_frontend_jinja")
