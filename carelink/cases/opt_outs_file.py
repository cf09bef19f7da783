"""The files of the national service that checks opt-outs: one NHS number a line, a comma after it. Pure.

What is relied on: NHS Renal Registry, "National Opt-Out Processes" (a published account of a real exchange by MESH,
workflow SPINE_NTT_UPHOLDING): a file of NHS numbers, each on a line of its own with a comma and a line feed, no heading;
the answer has the same form, less those who opted out; of a list with a wrong number nothing but a line about it comes
back. NHS England's own page on the service says the same in fewer words.
"""

from __future__ import annotations

import nhs_number

from carelink.errors import Invalid


def written(numbers: tuple[str, ...]) -> bytes:
    """The list as it is sent."""
    return "".join(f"{number},\n" for number in numbers).encode()


def read(name: str, content: bytes) -> tuple[str, ...]:
    """The NHS numbers of a list, each once, in its order. Raises `Invalid` at the first line that is none."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise Invalid(name, "is not text") from wrong
    found: dict[str, None] = {}
    for place, line in enumerate(text.splitlines(), 1):
        if line.strip():
            found[_number(f"{name}:{place}", line)] = None
    return tuple(found)


def answered(name: str, content: bytes, asked: tuple[str, ...]) -> tuple[str, ...]:
    """The numbers without an opt-out. Raises `Invalid` at the line of a number that was not asked about.

    An answer with nobody in it is refused: it may not have come whole, and would say of everybody that they opted out.
    """
    found = read(name, content)
    known = set(asked)
    for place, line in enumerate(content.decode("utf-8-sig").splitlines(), 1):
        if line.strip() and _number(f"{name}:{place}", line) not in known:
            raise Invalid(f"{name}:{place}", "is a number that was not asked about: this is the answer to another list")
    if not found:
        raise Invalid(name, "has no NHS number in it: the answer has not come whole")
    return found


def _number(place: str, line: str) -> str:
    first, *others = (part.strip() for part in line.split(","))
    if any(others):
        raise Invalid(place, "has more in it than one NHS number and a comma")
    number = first.replace(" ", "")
    if not (number.isascii() and nhs_number.is_valid(number)):
        raise Invalid(place, "is not an NHS number")
    return number
