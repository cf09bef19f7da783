"""JSON in and out that keeps the text of every decimal (FHIR R4 datatypes: 1.0 is not 1.00)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec


class ExactDecimal(Decimal):
    """A decimal that remembers how it was written."""

    text: str

    def __new__(cls, text: str) -> ExactDecimal:
        made = super().__new__(cls, text)
        made.text = text
        return made

    def __reduce__(self) -> tuple[type[ExactDecimal], tuple[str]]:
        return (ExactDecimal, (self.text,))

    def __deepcopy__(self, memo: object) -> ExactDecimal:
        return self

    def __copy__(self) -> ExactDecimal:
        return self


def _as_written(value: Any) -> msgspec.Raw:
    if isinstance(value, ExactDecimal):
        return msgspec.Raw(value.text.encode())
    raise TypeError(f"{type(value).__name__} has no JSON form")


_decoder = msgspec.json.Decoder(float_hook=ExactDecimal)
_encoder = msgspec.json.Encoder(enc_hook=_as_written, decimal_format="number", order="sorted")


def loads(text: str | bytes) -> Any:
    """The JSON value. Raises `msgspec.DecodeError` that says what and at which byte."""
    return _decoder.decode(text)


def dumps(value: Any) -> bytes:
    """The canonical JSON text: UTF-8, keys sorted, no white space, decimals as they were written."""
    return _encoder.encode(value)
