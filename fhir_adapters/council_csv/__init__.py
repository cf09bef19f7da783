"""A council's extracts: a folder of CSV files, mapped by a file of the place pack."""

from fhir_adapters.council_csv.source import CouncilCsv

__all__ = ["CouncilCsv"]
