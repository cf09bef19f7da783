"""The application whose reads leave no row, for gunicorn: what the audit is measured beside. Never run it elsewhere."""

from __future__ import annotations

import sys

from flask import Flask

from carelink import wsgi
from carelink.audit import trail


def create() -> Flask:
    """For gunicorn, over the database of the environment."""
    made, kept = wsgi.create(), trail.looked
    for module in list(sys.modules.values()):
        if getattr(module, "looked", None) is kept:
            module.looked = _nothing  # type: ignore[attr-defined]
    return made


def _nothing(*_: object, **__: object) -> None:
    """Keeps nothing."""
