"""Whatever is sent as a narrative, what is stored of it can't act, and fetches nothing."""

from __future__ import annotations

from html.parser import HTMLParser
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from carelink.record.narrative import ATTRIBUTES, ELEMENTS, XHTML, clean


def _named(text: str) -> st.SearchStrategy[str]:
    return st.sampled_from(text.split())


_TAGS = _named(
    "script style svg math iframe object form input img a p div table td tr b br template noscript select option"
    " textarea title xmp plaintext foreignObject annotation-xml mglyph base link meta video audio body html SCRIPT"
)  # fmt: skip
_NAMES = _named(
    "onclick onerror ONLOAD onmouseover href src srcset style xmlns xlink:href formaction data action background poster"
    " id class title srcdoc http-equiv dynsrc lowsrc"
)  # fmt: skip
_VALUES = st.one_of(
    st.sampled_from(
        [
            "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", " javascript:1", "vbscript:x",
            "data:text/html,<script>1</script>", "data:image/svg+xml;base64,PHN2Zy8+", "data:image/png;base64,AAAA",
            "https://x.example/", "//x.example/p", "\\\\x.example", "#a", "color:red", "background:url(//x.example)",
            "width:expression(alert(1))", "-moz-binding:url(x)", "@import '//x.example'", '"><script>1</script>', "x' onerror='1",
        ]
    ),
    st.text(max_size=12),
)  # fmt: skip
_WORDS = st.one_of(
    st.sampled_from(["&lt;script&gt;1&lt;/script&gt;", "<!--", "-->", "]]>", "<![CDATA[", "&#x3c;", "<", ">", "&", "\0", "<?x", "<!DOCTYPE x [<!ENTITY a 'b'>]>", "&a;", "</", "</div>"]),
    st.text(max_size=10),
)  # fmt: skip


@st.composite
def _element(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    tag = draw(_TAGS)
    attributes = draw(st.lists(st.tuples(_NAMES, _VALUES, st.sampled_from(['"', "'", ""])), max_size=3))
    said = "".join(f" {name}={quote}{value}{quote}" for name, value, quote in attributes)
    end = draw(st.sampled_from([f"</{tag}>", "", f"</{tag.upper()}>", "</p>"]))
    return f"<{tag}{said}>{''.join(draw(st.lists(inner, max_size=3)))}{end}"


nasty = st.lists(st.recursive(_WORDS, _element, max_leaves=12), max_size=4).map("".join)


class _Seen(HTMLParser):
    """As a browser that knows nothing of XML reads it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, list[tuple[str, str | None]]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))


@settings(max_examples=600, deadline=None)
@given(st.one_of(nasty, nasty.map(lambda inner: f'<div xmlns="{XHTML}">{inner}</div>')))
def test_nothing_that_acts_or_leads_out_is_left_of_nasty_html(sent: str) -> None:
    left = clean(sent)
    assert clean(left) == left, "cleaned once is clean"
    if not left:
        return
    assert ElementTree.fromstring(left).tag == f"{{{XHTML}}}div", "it is XHTML"
    seen = _Seen()
    seen.feed(left)
    seen.close()
    for tag, attributes in seen.found:
        assert tag in ELEMENTS
        for name, value in attributes:
            assert name in ATTRIBUTES["*"] | ATTRIBUTES.get(tag, frozenset()), f"{name} of {tag}"
            assert not name.startswith("on")
            if name == "href":
                assert (value or "").startswith("#")
            if name == "src":
                assert (value or "").startswith(("#", "data:image/png", "data:image/jpeg", "data:image/gif"))
            if name == "style":
                assert not set(value or "") & set("(@\\")
