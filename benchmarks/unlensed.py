"""The application whose lens hides nothing: what the lens is measured beside. Never run it elsewhere."""

from __future__ import annotations

from typing import Any

from flask import Flask
from sqlalchemy import literal, true

from carelink import wsgi
from carelink.consent.lens import Lens
from carelink.consent.rules import SYSTEM


def create() -> Flask:
    """For gunicorn, over the database of the environment."""
    made, lens = wsgi.create(), Lens
    said: dict[str, Any] = {
        "where": lambda self, t=None, person=None: true(),
        "body": lambda self, t, person=None: t.c.body,
        "ground": lambda self, t, person=None: literal(SYSTEM.id),
    }
    for name, method in said.items():
        setattr(lens, name, method)
    return made
