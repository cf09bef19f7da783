"""GP practices: GP Connect Access Record Structured (FHIR STU3), mapped to UK Core R4."""

from fhir_adapters.gp_connect.record import Mapped, map_record
from fhir_adapters.gp_connect.source import GpConnect

__all__ = ["GpConnect", "Mapped", "map_record"]
