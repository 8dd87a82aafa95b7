# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What leaves a site in a report: nothing that a server has said, whatever and wherever it says it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.vsphere.content.plugins.module_utils._check import shapes
from ansible_collections.vsphere.content.plugins.module_utils._check.known import POINTS
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.operations import OPERATIONS
from tests.faults.secrets_relay import Relay
from tests.harness.modules import connection_args, run_module
from tests.harness.servers import Identity, Received, Reply
from tests.harness.tasks import CHECK
from tests.harness.trials import PAUSES, TRIAL, seen
from tests.simulator import LibrarySeed, Seed, Simulator, UserSeed
from tests.simulator.facts import FACTS
from tests.simulator.worlds import WORLDS

CANARY = "-c4n4ry"
#: Strings that a task must be able to read, or it ends before there is much to report. They have values of
#: enumerations, or are the name and the checksum of what the trial has sent. A site's own names are those of `GIVEN`.
READ = {"state", "status", "type", "source_type", "algorithm", "error_type", "name", "checksum"}
#: The names of what a user gives.
GIVEN = ("templates-of-mine", "publisher-of-mine@vsphere.local", "secret-of-mine")


@pytest.fixture
def quick() -> dict[str, float]:
    return dict(PAUSES)


def seeded(value: Any, name: str = "") -> Any:
    """A JSON value with a canary in each string, and an unknown field with one in each object."""
    if isinstance(value, str):
        return value if name in READ or not value else f"{value}{CANARY}"
    if isinstance(value, list):
        return [seeded(entry, name) for entry in value]
    if isinstance(value, dict):
        unknown = {f"later{CANARY}": f"said{CANARY}", f"more{CANARY}": {f"deep{CANARY}": [CANARY]}}
        return {**{key: seeded(entry, key) for key, entry in value.items()}, **unknown}
    return value


class Seeding(Relay):
    """A vCenter that says a canary wherever it can, and takes it back in requests; `said` counts its answers."""

    said = 0

    def _relay(self, request: Received) -> Reply:
        plain = replace(
            request,
            path=request.path.replace(CANARY, ""),
            body=request.body.replace(CANARY.encode(), b""),
            headers={
                name: value.replace(CANARY, "") for name, value in request.headers.items() if name != "content-length"
            },
        )
        reply = super()._relay(plain)
        headers = {**reply.headers, "X-Later": CANARY}
        if "/cls/data/" in request.path and reply.status < 300:
            return replace(reply, headers=headers)
        try:
            body = json.dumps(seeded(json.loads(reply.body))).encode()
        except ValueError:
            body = reply.body.replace(b"VMware vCenter", f"VMware{CANARY}".encode())
            body = body + CANARY.encode() if body and not body.startswith(b"<?xml") else body
        self.said += CANARY.encode() in body
        return replace(reply, body=body, headers=headers)


@pytest.fixture
def site(identity: Identity) -> Iterator[tuple[Simulator, Seeding]]:
    library, user, password = GIVEN

    seed = Seed(libraries=(LibrarySeed(library, description="of mine"),), users=(UserSeed(user, password),))
    with Simulator(settle=0, seed=seed) as sim, Seeding(sim, identity) as relay:
        yield sim, relay


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for entry in value:
            yield from strings(entry)
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield key
            yield from strings(entry)


@pytest.mark.parametrize("dialect", ["api", "rest"])
def test_no_string_of_a_server_is_in_a_report(dialect: str, site: tuple[Simulator, Seeding], tmp_path: Path) -> None:
    _sim, relay = site
    path = tmp_path / "report.json"
    given = {**connection_args(relay), **TRIAL, "libraries": [GIVEN[0]], "api_dialect": dialect}
    ran = run_module(CHECK, {**given, "report": str(path), "url": f"https://localhost:{relay.port}/nothing.iso"})
    assert ran.rc == 0, ran.result
    assert relay.said > 100
    text = path.read_text(encoding="utf-8")
    for word in (CANARY.strip("-"), *GIVEN, relay.hostname, "localhost", str(relay.port), "nothing.iso"):
        assert word not in text, word
    report = json.loads(text)
    assert len(report["exchanges"]) > 100
    assert {entry["operation"] for entry in report["exchanges"]} > {"update_session.complete", "item.create"}
    assert len(seen(ran.result)) > 30
    assert report["observations"] == {entry["name"]: entry["seen"] for entry in ran.result["observations"]}
    assert '"unknown field": "object, string"' in json.dumps(report)
    require_listed(report)


def require_listed(report: dict[str, Any]) -> None:
    """Assert that each string of a report is of a list."""
    assert set(report) == {"format", "vcenter", "trial", "observations", "exchanges"}
    assert (report["trial"], set(report["vcenter"])) == (True, {"version", "build", "dialects", "dialect"})
    for exchange in report["exchanges"]:
        assert exchange["operation"] in OPERATIONS
        assert set(exchange) == {
            *("operation", "method", "path", "status", "error_type", "message_ids", "request", "response"),
            *("milliseconds", "after"),
        }
        assert re.fullmatch(r"[/\w:.{}?~=&-]+", exchange["path"])
        assert not re.search(r"[0-9a-f]{8}-", exchange["path"])
        for text in strings([exchange["request"], exchange["response"]]):
            assert text in ALLOWED or set(text.split(", ")) <= KINDS, text
    began = [exchange["after"] for exchange in report["exchanges"]]
    assert began == sorted(began)


ALLOWED = {
    *shapes.KNOWN_FIELDS,
    *(value for values in shapes.ENUMERATIONS.values() for value in values),
    *("string", "number", "boolean", "null", "list", "object", "not JSON", shapes.UNKNOWN_FIELD),
}
ANY_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(sorted(ALLOWED)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8) | st.sampled_from(sorted(shapes.KNOWN_FIELDS)), inner, max_size=4)
    ),
    max_leaves=12,
)
KINDS = {"string", "number", "boolean", "null", "list", "object"}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(value=ANY_JSON)
def test_a_shape_holds_what_the_lists_allow_and_nothing_else(value: Any) -> None:
    for text in strings(shapes.shape(value)):
        assert text in ALLOWED or set(text.split(", ")) <= KINDS
    assert shapes.error_type(value) in (*shapes.ERROR_TYPES, shapes.UNKNOWN, None)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("com.vmware.vdcs.cls-main.file_not_added", True),
        ("vapi.bindings.method.impl.unexpected", True),
        ("com.vmware.vdcs.vsphere-cs-lib.CERTIFICATE_SELF_SIGNED", True),
        ("com.vmware.10.0.0.1", False),
        ("com.vmware.vdcs.815994e5-2828-4a88-86ed-4575f9e964e2", False),
        ("vcenter.example.com", False),
        ("com.vmware.vdcs mine", False),
        ("com.vmware." + "a" * 200, False),
        (5, False),
        (None, False),
    ],
)
def test_what_is_an_identifier_of_a_message(said: Any, shown: bool) -> None:
    assert shapes.message_id(said) == (said if shown else shapes.UNKNOWN)


def test_the_points_are_the_worlds_and_facts_of_the_simulator() -> None:
    worlds = {point.name: (point.fact, point.values) for point in POINTS.values() if point.is_world}
    assert worlds == {world.name: (world.fact, world.values) for world in WORLDS.values()}
    others = {point.name for point in POINTS.values() if not point.is_world}
    assert others <= set(FACTS)
    assert not others & set(WORLDS)
    for point in POINTS.values():
        assert len(set(point.values)) == len(point.values) > 1


def test_a_value_that_is_in_no_list_is_other() -> None:
    odd = POINTS["range"].observed("something that a server has said")
    assert (odd["seen"], odd["fits"], odd["world"]) == ("other", "new", None)
    assert "said" not in odd["sentence"]
