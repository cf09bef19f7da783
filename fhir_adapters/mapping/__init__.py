"""Rows of a source into FHIR R4, as a mapping file of the place pack says: a new council is a new file, not new code."""

from fhir_adapters.mapping.load import SourceMapping, load
from fhir_adapters.mapping.problems import MappingWrong, Problem
from fhir_adapters.mapping.table import Mapped, Table

__all__ = ["Mapped", "MappingWrong", "Problem", "SourceMapping", "Table", "load"]
