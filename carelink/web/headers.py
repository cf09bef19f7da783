"""What every response says to the browser: run nothing inline, frame nowhere, remember nothing."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from carelink.settings import Settings

STATIC = ("static", "web.static")  # endpoints of files that are the same for everyone


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def policy(settings: Settings, also: str = "") -> str:
    """The Content-Security-Policy. Signing out goes on to the identity provider, so forms may end there; and `also`."""
    rules = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",  # the style sheet draws its arrows as data: images
        "font-src": "'self'",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "form-action": " ".join(filter(None, ("'self'", _origin(settings.oidc_issuer), also))),
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def install(app: Flask, settings: Settings) -> None:
    """Put the headers on every response of `app`."""
    always = {
        "Content-Security-Policy": policy(settings),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if settings.base_url.startswith("https://"):
        always["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"

    def add(response: Response) -> Response:
        response.headers.update(always)
        if leads := g.get("form_goes_to", ""):  # an app to which a worker's answer goes back
            response.headers["Content-Security-Policy"] = policy(settings, leads)
        if request.endpoint not in STATIC:
            response.headers["Cache-Control"] = "no-store"
        return response

    app.after_request(add)
