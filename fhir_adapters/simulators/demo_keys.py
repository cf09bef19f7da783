"""The keys of the simulated sources. They guard invented people only, so they may stand here."""

from __future__ import annotations

from collections.abc import Mapping

from fhir_adapters.simulators.serving import Asked

SECRETS: Mapping[str, str] = {
    "hospital": "demo-hospital-token",
    "pds": "demo-pds-token",
    "council-b": "demo-council-b-key",
    "gp": "",  # the practice looks at the token's claims; nothing is signed
}


def bearer(asked: Asked) -> str:
    """The bearer token of the request; empty without one."""
    kind, _, token = asked.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def knows(asked: Asked, source: str) -> bool:
    """Whether the request carries the source's key, as a bearer token or as X-Api-Key."""
    secret = SECRETS[source]
    return secret in (bearer(asked), asked.headers.get("x-api-key", ""))
