"""How a source is reached: what the place pack says of it, with address and secret from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping

from carelink.place import SourceEntry
from fhir_adapters.source import SourceSettings


def source_settings(entry: SourceEntry, environ: Mapping[str, str] = os.environ) -> SourceSettings:
    """How to reach it: the pack, with URL and secret from the environment where that has them."""
    prefix = f"CARELINK_SOURCE_{entry.name.upper().replace('-', '_')}"
    return SourceSettings(
        name=entry.name,
        kind=entry.kind,
        organisation=entry.organisation,
        url=environ.get(f"{prefix}_URL", entry.url),
        secret=environ.get(entry.secret_env or f"{prefix}_SECRET", ""),
        timeout=entry.timeout,
        options=entry.options,
    )
