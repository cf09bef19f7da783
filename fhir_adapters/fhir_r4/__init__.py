"""A source that speaks FHIR R4 search, as a hospital's record system does."""

from fhir_adapters.fhir_r4.source import TYPES, FhirR4

__all__ = ["TYPES", "FhirR4"]
