# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""govc against the simulator, and each other's work seen by both: govc's by our modules, and ours by govc."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.held import contents
from tests.harness.modules import connection_args, run_module
from tests.harness.packages import Package, kept_of, make_iso, make_package
from tests.harness.servers import Identity
from tests.peers.conftest import CONTENT
from tests.peers.programs import Govc, GovcError
from tests.simulator import Simulator

ITEM_INFO = "content_library_item_info"
UPDATE, INFO, ITEM = "content_library_update_session", "content_library_session_info", "content_library_item"


@pytest.fixture
def govc(programs: Path, sim: Simulator, tmp_path: Path) -> Govc:
    return Govc(programs, sim, tmp_path)


@pytest.fixture(scope="module")
def slow_simulator() -> Iterator[Simulator]:
    """Goes on writing for a while after it has answered, as vCenter does."""
    with Simulator(settle=0.3) as running:
        yield running


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return make_iso(tmp_path / "image.iso", 200_000)


@pytest.fixture
def package(tmp_path: Path) -> Package:
    return make_package(tmp_path / "package", disks=2, disk_bytes=30_000, nvram=True)


def ours(sim: Simulator, module: str, **args: Any) -> dict[str, Any]:
    ran = run_module(module, {**connection_args(sim), **args})
    assert ran.rc == 0, ran.result["msg"]
    return ran.result


def publish(sim: Simulator, item: str, *sources: Path) -> dict[str, Any]:
    files = [{"src": str(path)} for path in sources]
    return ours(sim, UPDATE, library="templates", library_item=item, state="done", files=files)


def test_libraries_and_items_are_listed_and_described(govc: Govc, sim: Simulator, iso: str) -> None:
    sim.run(lambda store: store.seed_item_files(iso, {"tools.iso": b"12345"}))
    assert govc("library.ls").split() == ["/templates", "/mirror"]
    assert sorted(govc("library.ls", "/templates/*").split()) == ["/templates/rocky9", "/templates/tools"]
    assert govc("library.ls", "/templates/tools/*").split() == ["/templates/tools/tools.iso"]
    (item,) = govc.json("library.info", "/templates/tools")
    assert (item["id"], item["type"], item["size"], item["security_compliance"]) == (iso, "iso", 5, True)
    (file,) = govc.json("library.info", "/templates/tools/tools.iso")
    assert (file["name"], file["size"], file["checksum_info"]["algorithm"]) == ("tools.iso", 5, "SHA1")
    (seen,) = ours(sim, ITEM_INFO, library="templates", library_item="tools", with_storage=True)["library_items"]
    assert seen["storage"][0]["storage_uris"][0] in govc("library.info", "-s", "/templates/tools/tools.iso").split()


def test_what_govc_imports_we_find_and_do_not_send_again(govc: Govc, sim: Simulator, image: Path) -> None:
    govc("library.import", "templates", str(image))
    item = ours(sim, ITEM, library="templates", name="image", type="iso")
    assert not item["changed"]
    assert [(each["name"], each["size"]) for each in item["library_item"]["files"]] == [("image.iso", 200_000)]
    again = publish(sim, "image", image)
    assert (again["changed"], again["session"]) == (False, None)


@pytest.mark.fact("answered-put-may-be-completed", "complete-answers-when-updated")
def test_govc_imports_into_a_simulator_as_it_starts_by_default(
    programs: Path, image: Path, package: Package, tmp_path: Path
) -> None:
    with Simulator() as sim:
        govc = Govc(programs, sim, tmp_path)
        govc("library.import", "templates", str(image))
        govc("library.import", "-n", "imported", "templates", str(package.descriptor))
        assert contents(sim, "image") == {"image.iso": image.read_bytes()}
        assert contents(sim, "imported") == kept_of(package)


def test_a_package_that_govc_imports_is_the_package_that_we_declare(
    govc: Govc, sim: Simulator, package: Package
) -> None:
    govc("library.import", "-m", "-n", "image", "templates", str(package.descriptor))
    item_id = sim.run(lambda store: store.find_item_id("templates", "image"))
    assert sim.run(lambda store: store.item_contents(item_id)) == {
        path.name: path.read_bytes() for path in (package.descriptor, *package.references)
    }
    again = publish(sim, "image", package.descriptor)
    assert (again["changed"], again["session"]) == (False, None)


def test_what_we_publish_govc_exports(govc: Govc, sim: Simulator, package: Package, tmp_path: Path) -> None:
    publish(sim, "rocky9", package.descriptor)
    target = tmp_path / "exported"
    target.mkdir()
    govc("library.export", "/templates/rocky9", str(target))
    exported = {path.name: path.read_bytes() for path in target.rglob("*") if path.is_file()}
    assert exported == {path.name: path.read_bytes() for path in (package.descriptor, *package.references)}


def test_what_we_publish_to_a_slow_server_is_there_when_our_task_ends(
    slow_simulator: Simulator, programs: Path, image: Path, tmp_path: Path
) -> None:
    govc = Govc(programs, slow_simulator, tmp_path)
    done = publish(slow_simulator, "tools", image)["session"]
    (seen,) = govc.json("library.session.ls")["sessions"]
    assert (done["state"], seen["id"], seen["state"]) == ("DONE", done["id"], "DONE")
    assert govc("library.ls", "/templates/tools/*").split() == ["/templates/tools/image.iso"]


def test_what_we_purge_govc_does_not_see(govc: Govc, sim: Simulator, ovf: str, package: Package) -> None:
    sim.run(lambda store: store.seed_item_files(ovf, {"old.vmdk": b"old"}))
    publish(sim, "rocky9", package.descriptor)
    assert sorted(govc("library.ls", "/templates/rocky9/*").split()) == sorted(
        f"/templates/rocky9/{path.name}" for path in (package.descriptor, *package.references)
    )


def test_of_what_a_failed_task_made_govc_sees_nothing(govc: Govc, sim: Simulator, tmp_path: Path) -> None:
    package = make_package(tmp_path / "signed", disks=1, disk_bytes=30_000, signed="self-signed")
    files = [{"src": str(package.descriptor)}]
    ran = run_module(
        UPDATE,
        {**connection_args(sim), "library": "templates", "library_item": "rocky9", "state": "done", "files": files},
    )
    assert ran.result["error"]["type"] == "WARNINGS_NOT_IGNORED"
    assert govc("library.session.ls") == ""


def test_sessions_of_ours_are_seen_and_removed_by_govc(govc: Govc, sim: Simulator, iso: str) -> None:
    session = ours(sim, UPDATE, library="templates", library_item="tools", state="active", client_progress=30)[
        "session"
    ]
    (seen,) = govc.json("library.session.ls")["sessions"]
    assert {name: seen[name] for name in ("id", "library_item_id", "state", "client_progress")} == {
        "id": session["id"],
        "library_item_id": iso,
        "state": "ACTIVE",
        "client_progress": 30,
    }
    govc("library.session.rm", "-f", session["id"])
    assert ours(sim, INFO, kind="update")["update_sessions"] == []


def test_sessions_of_govc_are_seen_by_us(govc: Govc, sim: Simulator, image: Path, tmp_path: Path) -> None:
    govc("library.import", "templates", str(image))
    target = tmp_path / "exported"
    target.mkdir()
    govc("library.export", "/templates/image", str(target))
    found = ours(sim, INFO)
    (update,), (download,) = found["update_sessions"], found["download_sessions"]
    assert (update["state"], download["state"]) == ("DONE", "ACTIVE")
    rows = [line.split()[:3] for line in govc("library.session.ls").splitlines() if ":" in line.split()[0]]
    assert sorted(rows) == sorted(
        [[update["id"], "/templates/image", "Update"], [download["id"], "/templates/image", "Download"]]
    )


def test_files_of_a_session_are_listed_and_removed_by_govc(govc: Govc, sim: Simulator, iso: str) -> None:
    sim.run(lambda store: store.seed_item_files(iso, {"a.iso": b"a", "b.iso": b"b"}))
    session = sim.run(lambda store: store.seed_update_session(iso))
    govc("library.session.rm", "-i", session, "b.iso")
    assert [each["name"] for each in govc.json("library.session.ls", "-i")["files"][session]] == ["a.iso"]


def test_a_download_is_ended_by_govc(govc: Govc, sim: Simulator, iso: str) -> None:
    session = sim.run(lambda store: store.seed_download_session(iso))
    govc("library.session.rm", "-f", session)
    assert ours(sim, INFO, kind="download")["download_sessions"] == []


def test_what_govc_says_of_an_item_we_read(govc: Govc, sim: Simulator) -> None:
    govc("library.update", "-d", "new words", "/templates/tools")
    found = ours(sim, ITEM, library="templates", name="tools")["library_item"]
    assert found["description"] == "new words"


def test_an_item_that_govc_removes_is_gone_for_us(govc: Govc, sim: Simulator, iso: str) -> None:
    govc("library.rm", "/templates/tools")
    gone = ours(sim, ITEM, library="templates", name="tools", state="absent")
    assert (gone["changed"], gone["library_item"]) == (False, None)
    assert sim.run(lambda store: iso in store.catalog.items) is False


def test_govc_reads_what_a_probe_finds(govc: Govc, http: str, https: str, identity: Identity) -> None:
    found = govc.json("library.probe", http)
    assert (found["status"], found.get("ssl_thumbprint")) == ("SUCCESS", None)

    found = govc.json("library.probe", https)
    assert (found["status"], found["ssl_thumbprint"]) == ("CERTIFICATE_ERROR", identity.thumbprint("sha1"))
    (message,) = found["error_messages"]
    assert message["id"] == "com.vmware.vdcs.cls-main.http_request_error_peer_not_authenticated"

    with pytest.raises(GovcError):
        govc("library.probe", "-f", https)


def test_what_govc_has_pulled_is_what_we_declare(govc: Govc, sim: Simulator, https: str, identity: Identity) -> None:
    govc("library.import", "-pull", "templates", https)
    item = sim.run(lambda store: store.find_item_id("templates", "image"))
    assert sim.run(lambda store: store.item_contents(item)) == {"image.iso": CONTENT}
    (added,) = [json.loads(each.request_body) for each in sim.exchanges if each.path.endswith("action=add")]
    assert added["file_spec"]["source_endpoint"]["ssl_certificate_thumbprint"] == identity.thumbprint("sha1")

    declared = {"url": https, "checksum": hashlib.sha1(CONTENT).hexdigest(), "checksum_algorithm": "SHA1"}
    again = ours(sim, UPDATE, library="templates", library_item="image", state="done", files=[declared])
    assert (again["changed"], again["session"]) == (False, None)


def test_govc_names_what_the_server_refuses(govc: Govc, sim: Simulator, iso: str, image: Path) -> None:
    govc("library.import", "templates", str(image))
    with pytest.raises(GovcError, match="already_exists"):
        govc("library.import", "templates", str(image))
    session = sim.run(lambda store: store.seed_update_session(iso))
    with pytest.raises(GovcError, match="not_allowed_in_current_state"):
        govc("library.session.rm", session)
