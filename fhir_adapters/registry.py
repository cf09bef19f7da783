"""Which adapter speaks to which kind of source."""

from __future__ import annotations

from importlib import import_module

from fhir_adapters.source import Source, SourceFailed, SourceSettings

# Imported when asked for: a place without a practice need not load the mapping of GP records.
KINDS = {
    "council_csv": ("fhir_adapters.council_csv", "CouncilCsv"),
    "council_rest": ("fhir_adapters.council_rest", "CouncilRest"),
    "fhir_r4": ("fhir_adapters.fhir_r4", "FhirR4"),
    "gp_connect": ("fhir_adapters.gp_connect", "GpConnect"),
    "pds": ("fhir_adapters.pds", "Pds"),
}


def make(settings: SourceSettings) -> Source:
    """The adapter of that kind with these settings.

    Raises SourceFailed where the kind is not known or its options or mapping file are wrong, with the line to show.
    """
    if settings.kind not in KINDS:
        raise SourceFailed(settings.name, f"kind {settings.kind!r} is not known; known are {', '.join(sorted(KINDS))}")
    module, name = KINDS[settings.kind]
    made: Source = getattr(import_module(module), name)(settings)
    return made
