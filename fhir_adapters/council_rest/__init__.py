"""A council's JSON API, mapped by a file of the place pack."""

from fhir_adapters.council_rest.source import CouncilRest

__all__ = ["CouncilRest"]
