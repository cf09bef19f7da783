"""The Personal Demographics Service: who a person is nationally, asked person by person."""

from fhir_adapters.pds.source import Pds

__all__ = ["Pds"]
