"""Which adapter a kind of source gets, and what is said where there is none."""

from pathlib import Path

import pytest

from fhir_adapters.fhir_r4 import FhirR4
from fhir_adapters.registry import make
from fhir_adapters.source import SourceFailed, SourceSettings


def test_a_known_kind_gets_its_adapter() -> None:
    assert isinstance(make(SourceSettings("hospital", "fhir_r4", "RDV", "https://hospital.example")), FhirR4)


ASSERTED = {"auth": "client-assertion", "token_url": "https://a.example", "client_id": "c", "key_id": "k"}

# the settings | the line
WRONG = [
    (
        SourceSettings("x", "fhir_r5", "RDV"),
        "x: kind 'fhir_r5' is not known; known are council_csv, council_rest, fhir_r4, gp_connect, pds",
    ),
    (SourceSettings("a", "council_csv", "901"), "a: options.mapping must name its mapping file"),
    (
        SourceSettings("a", "council_rest", "901", options={"mapping": Path("/nowhere/a.toml")}),
        "a: a.toml: can't be read: No such file or directory",
    ),
    (
        SourceSettings("h", "fhir_r4", "RDV", options={"auth": "magic"}),
        "h: options.auth = 'magic' is not known: api-key, bearer, client-assertion, none",
    ),
    (
        SourceSettings("p", "pds", "X26", secret="s", options={"auth": "client-assertion", "key_id": "k"}),
        "p: auth = 'client-assertion' needs options.token_url, options.client_id",
    ),
    (
        SourceSettings("p", "pds", "X26", secret="s", options=ASSERTED),
        "p: its secret must be an RSA private key in PEM form",
    ),
]


@pytest.mark.parametrize(("settings", "line"), WRONG, ids=[line for _, line in WRONG])
def test_wrong_settings_are_said_in_one_line(settings: SourceSettings, line: str) -> None:
    with pytest.raises(SourceFailed) as failed:
        make(settings)
    assert str(failed.value) == line
