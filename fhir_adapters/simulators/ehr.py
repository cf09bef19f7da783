"""A patient record system that calls CDS Hooks: `python -m fhir_adapters.simulators.ehr --url http://127.0.0.1:8000 9990000018`.

Its key guards invented people only, so it may stand here; the example place pack knows its public half.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any
from uuid import uuid4

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey

ISSUER = "https://epr.dalevalley.example"
SERVICE = "/cds-services/carelink-patient-view"
NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
KEY: dict[str, str | list[str]] = {
    "kty": "EC",
    "crv": "P-384",
    "kid": "dv0TQqeowXoyyBoX8yEBTkMJfXdwoMy8GE5YdfpkdTg",
    "x": "VNx1EumtNXBiJda218RCRxgBEZqsKoqer7ah7FfjRT5OJMxhQoyrP8GiWokQR1d8",
    "y": "FYwrHd7OFNvk4zY8CvhuyB4jluW0VZI7Ec74OX4dflhATZldQQ6Gfw7D-FbTFfSG",
    "d": "njVDMQEFeL3EA3jXci7cxvWQDcNM4xjOaqwwKum1LHraYlXVWENhG1cf8yrPQN30",
}


def token(service: str, now: float, **changed: Any) -> str:
    """A token for one call of the service at that address; `changed` are claims that differ, None those left out."""
    claims = {"iss": ISSUER, "aud": service, "iat": int(now), "exp": int(now) + 240, "jti": str(uuid4())} | changed
    header = {"alg": "ES384", "typ": "JWT", "kid": KEY["kid"]}
    kept = {name: value for name, value in claims.items() if value is not None}
    return str(jwt.encode(header, kept, ECKey.import_key(KEY), algorithms=["ES384"]))


def chart_opened(number: str, **changed: Any) -> dict[str, Any]:
    """What is sent when somebody opens the chart of the patient of that NHS number."""
    patient = {"resourceType": "Patient", "id": "p-1", "identifier": [{"system": NHS_NUMBER, "value": number}]}
    return {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/nurse-1", "patientId": "p-1"},
        "prefetch": {"patient": patient},
    } | changed


def main(arguments: list[str] | None = None) -> int:
    """Print the cards for one patient."""
    parser = argparse.ArgumentParser(prog="python -m fhir_adapters.simulators.ehr", description=__doc__)
    parser.add_argument("number", help="NHS number of the patient whose chart is opened")
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    asked = parser.parse_args(arguments)
    service = asked.url.rstrip("/") + SERVICE
    headers = {"Authorization": f"Bearer {token(service, time.time())}"}
    answer = httpx.post(service, json=chart_opened(asked.number), headers=headers, timeout=10)
    sys.stdout.write(json.dumps(answer.json(), indent=2, ensure_ascii=False) + "\n")
    return 0 if answer.is_success else 1


if __name__ == "__main__":
    sys.exit(main())
