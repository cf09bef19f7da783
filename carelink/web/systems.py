"""Paths that systems ask, each request with a token of its own: there are no sessions, no cookies and no pages there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Flask, Request, current_app, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from werkzeug.wrappers import Response

PAGES = ("/oauth2/authorize",)  # among those paths, what people are asked
Speaker = Callable[[Exception], Response]  # a failure, said so that whoever asked can read it


class Sessions(SecureCookieSessionInterface):
    """Flask's signed cookie, but none is read or set where systems ask: a browser's session opens nothing there."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        self._paths = paths

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """None where systems ask: Flask puts an empty one there that can't be written to."""
        of_systems = request.path.startswith(self._paths) and request.path not in PAGES
        return None if of_systems else super().open_session(app, request)


def speaker() -> Speaker | None:
    """Who says what failed in this request; None where a page does."""
    if request.path in PAGES:
        return None
    speakers: Mapping[str, Speaker] = current_app.extensions["carelink.speakers"]
    return next((speak for path, speak in speakers.items() if request.path.startswith(path)), None)


def install(app: Flask, speakers: Mapping[str, Speaker]) -> None:
    """From now on systems ask under these paths, and are told of failures by these."""
    app.extensions["carelink.speakers"] = dict(speakers)
    app.session_interface = Sessions(tuple(speakers))
