"""What an extract tells: the ids of all its rows, so that what it does not tell any more can be ended."""

from __future__ import annotations

from dataclasses import dataclass, field

from fhir_adapters.council_csv.reading import Line
from fhir_adapters.council_csv.scan import Scan
from fhir_adapters.mapping import Mapped
from fhir_adapters.whole import Id, Whole


@dataclass
class Told:
    """Filled row by row, also with what was rejected: a wrong cell makes nobody's alert go away."""

    scan: Scan
    ids: set[Id] = field(default_factory=set)
    unknown: bool = False  # a row of which not even the id can be read may be anybody's

    def add(self, line: Line, mapped: Mapped) -> None:
        """One row and what became of it."""
        if mapped.rejected is None:
            self.ids.update((item.type, item.source_id) for item in mapped.items)
        elif line.odd or not self.scan.table.key(line.cells):
            self.unknown = True
        else:
            self.ids.update(self.scan.table.ids(line.cells))

    def whole(self) -> tuple[Whole, ...]:
        """The whole of its table; nothing where a row can't be told. An empty file tells nothing either."""
        if self.unknown or not self.scan.rows:
            return ()
        return (Whole(self.scan.path.name, frozenset(self.ids), forms=self.scan.table.forms),)
