"""The OpenAPI document against what the gateway really does."""

import json
from typing import Any

import pytest

from standee.errors import _BY_CODE
from standee.images import digest_of
from standee_gateway.http_errors import STATUSES
from support.gateway.processes import Asked, png_of_grey


@pytest.fixture(scope="module")
def document(gateway: Asked) -> dict[str, Any]:
    found: dict[str, Any] = gateway.ask("GET", "/openapi.json").json
    return found


def fits(document: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    checker = pytest.importorskip("jsonschema").Draft202012Validator
    whole = {**schema, "components": document["components"]}
    return [error.message for error in checker(whole).iter_errors(value)]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    named = {part.split('"')[0] for part in json.dumps(document).split("#/components/schemas/")[1:]}
    assert named <= set(schemas)
    assert {"Composition", "JobView", "Trouble", "Progress"} <= set(schemas)


def test_what_is_answered_is_what_the_document_says(
    gateway: Asked, document: dict[str, Any]
) -> None:
    job = gateway.compose({"prompt": "drawn", "canvas": {"width": 64, "height": 64}})
    gateway.finished(job)
    picture = png_of_grey(200)
    made = {"{job}": job, "{digest}": digest_of(picture), "{index}": "0"}
    bodies: dict[tuple[str, str], tuple[Any, str]] = {
        ("post", "/v1/pictures"): (picture, "image/png"),
        ("post", "/v1/jobs"): (json.dumps({"prompt": "a cat"}), "application/json"),
    }
    asked = 0
    for path, each in document["paths"].items():
        there = path
        for name, value in made.items():
            there = there.replace(name, value)
        for method, said in each.items():
            body, kind = bodies.get((method, path), (None, "text/plain"))
            answer = gateway.ask(method.upper(), there, body, Content_Type=kind)
            assert str(answer.status) in said["responses"], (method, path, answer.body)
            assert answer.status < 300
            [(media, content)] = said["responses"][str(answer.status)]["content"].items()
            assert answer.headers["content-type"].split(";")[0].startswith(media.rstrip("*"))
            if media == "application/json":
                assert fits(document, content["schema"], answer.json) == []
            assert {one["name"] for one in said["parameters"] if one["in"] == "path"} == {
                name[1:-1] for name in made if name in path
            }
            asked += 1
    assert asked == 11
    trouble = document["paths"]["/v1/jobs"]["get"]["responses"]["default"]["content"]
    schema = trouble["application/json"]["schema"]
    assert fits(document, schema, gateway.ask("GET", "/v1/jobs/no-such-job").json) == []
    assert fits(document, schema, {"error": {"code": "x"}})


def test_compositions_are_described_with_pictures_of_any_name(document: dict[str, Any]) -> None:
    content = document["paths"]["/v1/jobs"]["post"]["requestBody"]["content"]
    schema = content["application/json"]["schema"]
    rect = {"x": 0, "y": 0, "w": 1, "h": 1}
    for name in ("0" * 64, "data:image/png;base64,AAAA", "cat.png"):
        assert fits(document, schema, {"layers": [{"picture": name, "rect": rect}]}) == []
    assert fits(document, schema, {"layers": [{"picture": "cat.png"}]})


def test_every_code_of_an_error_has_a_status_or_is_the_gateways_fault() -> None:
    assert set(_BY_CODE) - set(STATUSES) == {"error", "job-failed"}
    assert set(STATUSES) < set(_BY_CODE)
