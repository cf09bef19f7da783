"""The mapping file that a source's options name."""

from __future__ import annotations

from pathlib import Path

from fhir_adapters.mapping.load import SourceMapping, load
from fhir_adapters.mapping.problems import MappingWrong
from fhir_adapters.source import SourceFailed, SourceSettings


def mapping_of(settings: SourceSettings) -> SourceMapping:
    """The checked mapping of the source. Raises SourceFailed where it names none or the file is wrong."""
    path = settings.options.get("mapping")
    if not isinstance(path, str | Path) or not str(path):
        raise SourceFailed(settings.name, "options.mapping must name its mapping file")
    try:
        return load(Path(path))
    except MappingWrong as wrong:
        raise SourceFailed(settings.name, str(wrong)) from wrong
