"""The files that are exchanged with the national service: read to the line, refused whole where anything is wrong."""

from __future__ import annotations

import pytest

from carelink.cases.opt_outs_file import answered, read, written
from carelink.errors import Invalid

ANN, BOB, CAT = "9990000018", "9990000026", "9990000034"


def test_a_list_is_a_number_and_a_comma_a_line_and_reads_back() -> None:
    assert written((ANN, BOB)) == b"9990000018,\n9990000026,\n"
    assert read("f", written((ANN, BOB))) == (ANN, BOB)


@pytest.mark.parametrize(
    "content", [b"9990000018\n9990000026", b"9990000018,\r\n\r\n9990000026,\r\n", b"\xef\xbb\xbf999 000 0018,\n9990000026,\n9990000018,"]
)  # fmt: skip
def test_ends_of_lines_empty_lines_spaces_and_repeats_make_no_difference(content: bytes) -> None:
    assert read("f", content) == (ANN, BOB)


WRONG = [
    (b"9990000018,\nNHS number,\n", "f:2"),
    (b"9990000019,\n", "f:1"),
    (b"9990000018,\n\n123,\n", "f:3"),
    (b"9990000018,Hart\n", "f:1"),
    (b"\xff\xfe9\x009\x00", "f"),
    ("٩٩٩٠٠٠٠٠١٨,\n".encode(), "f:1"),
]


@pytest.mark.parametrize(("content", "place"), WRONG)
def test_what_is_no_number_is_said_with_its_line(content: bytes, place: str) -> None:
    with pytest.raises(Invalid) as wrong:
        read("f", content)
    assert wrong.value.place == place


def test_an_answer_has_only_what_was_asked_about() -> None:
    assert answered("back", written((BOB,)), (ANN, BOB)) == (BOB,)
    with pytest.raises(Invalid) as wrong:
        answered("back", written((ANN, CAT)), (ANN, BOB))
    assert wrong.value.place == "back:2"


def test_an_empty_answer_is_not_read_as_everybody_opted_out() -> None:
    with pytest.raises(Invalid, match="not come whole"):
        answered("back", b"\n", (ANN, BOB))
