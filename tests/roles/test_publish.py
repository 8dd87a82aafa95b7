# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role publish, by its playbook: again and again, in check mode, and when it cannot."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.held import contents
from tests.harness.packages import SELF_SIGNED_RAISES, make_iso, signer_in
from tests.harness.servers import CannedServer, Reply, make_identity
from tests.harness.tasks import action_of, announced
from tests.progress.plays import kits, settings_of
from tests.roles.conftest import Images, Jobs
from tests.roles.jobs import Job, credential, run_job, verified
from tests.simulator import ItemSeed, LibrarySeed, Seed, Simulator

PACKAGE = {"rocky9.ovf": b"<Envelope/>", "rocky9-disk1.vmdk": b"disk"}
SECONDS = 120
PULLED = b"an image that lies on a mirror"
SESSIONS = re.compile(r"/update-session(\?client_token=\S+|/[0-9a-f:-]+\?action=complete)?$")
PUBLISHES = "Make sure that each item holds its image"


def started(job: Job, task: str) -> int:
    """How many times a task was started, for however many hosts."""
    names = [event["event_data"]["task"] for event in job.events if event["event"] == "playbook_on_task_start"]
    return names.count(task)


def test_a_directory_is_published_once_and_shown_in_check_mode(jobs: Jobs, images: Images) -> None:
    options = {
        "publish_libraries": "archive",
        "publish_src": str(images.folder),
        "publish_recurse": True,
        "publish_accepted_signer": signer_in(images.signed.with_suffix(".cert")),
    }
    jobs.sim.reset(Seed(libraries=(LibrarySeed("archive"),)))

    predicted = jobs.run("publish.yml", options, "--check").succeeded()
    assert not jobs.mutations
    made = [task.result["library_item"] for task in predicted.of("content_library_update_session")]
    assert [(item["id"], item["name"], item["type"]) for item in made] == [
        (None, "drivers", "iso"),
        (None, "rocky9", "ovf"),
    ]

    real = jobs.run("publish.yml", options).succeeded()
    assert jobs.contents("archive", "drivers") == {"drivers.iso": images.iso.read_bytes()}
    assert set(jobs.contents("archive", "rocky9")) == {path.name for path in images.package}
    published = real.handed_over["content_library_published"]["localhost"]
    assert [(entry["library"], entry["library_item"], entry["changed"]) for entry in published] == [
        ("archive", "drivers", True),
        ("archive", "rocky9", True),
    ]

    again = jobs.run("publish.yml", options).succeeded()
    assert not again.changed
    assert not jobs.mutations


@pytest.mark.rest
def test_two_images_for_one_item_are_refused(jobs: Jobs, tmp_path: Path) -> None:
    for name in ("Rocky.iso", "rocky.ovf", "tools.iso"):
        make_iso(tmp_path / name, 1000)
    url = {"url": "https://mirror.example.com/tools.iso?key=1", "libraries": ["archive", "templates"]}
    options = {"publish_libraries": ["templates"], "publish_src": str(tmp_path), "publish_items": [url]}
    job = jobs.run("publish.yml", options).failed()
    said = " ".join(job.stdout.split())
    assert "each would replace the one before: rocky in templates, tools in templates. Name their" in said, said
    assert not jobs.mutations


@pytest.mark.rest
def test_an_item_that_was_there_stays_when_publishing_fails(jobs: Jobs, images: Images) -> None:
    rocky9 = {"library_item": "rocky9", "src": str(images.signed), "description": "November"}
    job = jobs.run("publish.yml", {"publish_libraries": ["templates"], "publish_items": [rocky9]}).failed()

    assert [task.verdict for task in job.of("content_library_update_session")] == ["failed"]
    assert job.changed == []
    assert "rocky9" in jobs.item_names()
    assert not jobs.sim.run(lambda store: store.active_update_sessions())


@pytest.mark.rest
@pytest.mark.parametrize("kind", ["image", "package", "image-by-files"])
def test_an_image_of_another_type_is_refused_and_the_item_stays_as_it_is(jobs: Jobs, images: Images, kind: str) -> None:
    item = ItemSeed("rocky9", "iso", {"old.iso": b"old"}) if kind == "package" else ItemSeed("rocky9", "ovf", PACKAGE)
    jobs.sim.reset(Seed(libraries=(LibrarySeed("archive", (item,)),)))
    entries: dict[str, dict[str, Any]] = {
        "image": {"src": str(images.iso), "checksum": "ab" * 32, "description": "November"},
        "package": {"src": str(images.signed), "accepted_warnings": ",".join(SELF_SIGNED_RAISES)},
        "image-by-files": {"files": [{"src": str(images.iso)}], "purge_files": True},
    }
    options = {"publish_libraries": "archive", "publish_items": [{**entries[kind], "library_item": "rocky9"}]}
    for how in (["--check"], []):
        job = jobs.run("publish.yml", options, *how).failed()
        assert f"of type {item.type}" in job.stdout
        assert not jobs.mutations
    (found,) = jobs.sim.run(lambda store: [*store.catalog.items.values()])
    assert (found.type, found.description) == (item.type, "")
    assert jobs.contents("archive", "rocky9") == item.files


@pytest.mark.rest
def test_one_bad_library_does_not_stop_the_others(jobs: Jobs, images: Images) -> None:
    libraries = (LibrarySeed("first"), LibrarySeed("mirror", type="SUBSCRIBED"), LibrarySeed("last"))
    jobs.sim.reset(Seed(libraries=libraries))
    options = {"publish_libraries": "first, mirror, nowhere, last", "publish_src": str(images.iso)}

    job = jobs.run("publish.yml", options).failed()

    image = {"drivers.iso": images.iso.read_bytes()}
    assert (jobs.contents("first", "drivers"), jobs.contents("last", "drivers")) == (image, image)
    handed_over = job.handed_over["content_library_published"]["localhost"]
    assert [(entry["library"], entry["outcome"]) for entry in handed_over] == [
        ("first", "published"),
        ("mirror", "failed"),
        ("nowhere", "failed"),
        ("last", "published"),
    ]
    assert [(entry["error"] or {}).get("type") for entry in handed_over] == [
        None,
        "INVALID_ELEMENT_TYPE",
        "NOT_FOUND",
        None,
    ]
    (summary,) = [task.result["msg"] for task in job.tasks if task.module == "ansible.builtin.debug"]
    vcenter = f"{jobs.sim.hostname}:{jobs.sim.port}"
    assert [line.partition(": ")[0] for line in summary] == [
        f"drivers in {library} on {vcenter}" for library in ("first", "mirror", "nowhere", "last")
    ]
    assert [line.partition(": ")[2][:40] for line in summary] == [
        "published",
        "failed (INVALID_ELEMENT_TYPE): " + handed_over[1]["reason"][:9],
        "failed (NOT_FOUND): " + handed_over[2]["reason"][:20],
        "published",
    ], summary
    said = f"drivers in mirror on {vcenter}: failed (INVALID_ELEMENT_TYPE), drivers in nowhere on {vcenter}: failed"
    assert f"{said} (NOT_FOUND). 2 of 4 are as" in " ".join(job.stdout.split())

    jobs.sim.clear_exchanges()
    again = jobs.run("publish.yml", {**options, "publish_libraries": "first, last"}).succeeded()
    assert (again.changed, jobs.mutations) == ([], [])


def each(role: str, variables: dict[str, Any], *libraries: str) -> dict[str, Any]:
    include = {"name": f"vsphere.content.{role}"}
    return {"ansible.builtin.include_role": include, "vars": variables, "loop": list(libraries)}


@pytest.mark.rest
@pytest.mark.parametrize("kit", kits("newest", "awx"))
def test_each_use_in_a_loop_adds_to_what_is_handed_over(jobs: Jobs, images: Images, tmp_path: Path, kit: str) -> None:
    jobs.sim.reset(Seed(libraries=tuple(LibrarySeed(name) for name in ("first", "last"))))
    image, out = str(images.iso), str(tmp_path / "{{ item }}")
    tasks = [
        each("publish", {"publish_libraries": "{{ item }}", "publish_src": image}, "first", "last"),
        each(
            "fetch",
            {"fetch_library": "{{ item }}", "fetch_library_item": "drivers", "fetch_dest": out},
            "first",
            "last",
        ),
        each("publish", {"publish_libraries": "{{ item }}", "publish_src": image}, "first", "last", "nowhere"),
    ]
    playbook = tmp_path / "play.yml"
    own_python = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    play = {"hosts": "localhost", "gather_facts": False, "vars": own_python, "tasks": tasks}
    playbook.write_text(json.dumps([play]), encoding="utf-8")
    env = verified(credential(jobs.sim), jobs.sim)

    job = run_job(tmp_path / "job", str(playbook), env, {}, settings=settings_of(kit)).failed()

    published = job.handed_over["content_library_published"]["localhost"]
    assert [(entry["library"], entry["outcome"]) for entry in published] == [
        ("first", "published"),
        ("last", "published"),
        ("first", "unchanged"),
        ("last", "unchanged"),
        ("nowhere", "failed"),
    ]
    fetched = job.handed_over["content_library_fetched"]["localhost"]
    assert [(entry["library"], entry["changed"]) for entry in fetched] == [("first", True), ("last", True)]
    said = [task.result["msg"] for task in job.tasks if task.verdict == "failed"][-1]
    place = f"drivers in nowhere on {jobs.sim.hostname}:{jobs.sim.port}"
    assert said.startswith(f"{place}: failed (NOT_FOUND). 0 of 1 are as declared."), said


@pytest.mark.rest
def test_paths_may_begin_in_the_home_directory(jobs: Jobs, images: Images, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "images").mkdir(parents=True)
    image = images.iso.read_bytes()
    (home / "images" / "drivers.iso").write_bytes(image)
    (home / "ca.pem").write_bytes(Path(jobs.sim.ca_path).read_bytes())
    env = {**credential(jobs.sim), "HOME": str(home)}
    connection = {"vcenter_connection": {"ca_path": "~/ca.pem"}}
    item = {"fetch_library": "templates", "fetch_library_item": "drivers", "fetch_dest": "~/out"}
    for number, source in enumerate(("~/images", "~/images/drivers.iso")):
        answers = {**connection, "publish_libraries": "templates", "publish_src": source}
        job = run_job(tmp_path / f"publish-{number}", "publish.yml", env, answers).succeeded()
        (published,) = job.handed_over["content_library_published"]["localhost"]
        assert published["outcome"] == ("unchanged" if number else "published")
    run_job(tmp_path / "fetch", "fetch.yml", env, {**connection, **item}).succeeded()
    assert (home / "out" / "drivers.iso").read_bytes() == image


@pytest.mark.rest
def test_a_refused_login_is_not_tried_again_for_the_other_libraries(jobs: Jobs, images: Images) -> None:
    options = {
        "publish_libraries": "templates, archive, other",
        "publish_src": str(images.iso),
        "vcenter_connection": {"username": "nobody", "password": "wrong"},
    }
    job = jobs.run("publish.yml", options).failed()

    handed_over = job.handed_over["content_library_published"]["localhost"]
    assert [entry["outcome"] for entry in handed_over] == ["not tried"] * 3
    assert {entry["error"]["type"] for entry in handed_over} == {"UNAUTHENTICATED"}
    assert len({entry["reason"] for entry in handed_over}) == 1
    (summary,) = [task.result["msg"] for task in job.tasks if task.module == "ansible.builtin.debug"]
    assert [line.endswith(": as above") for line in summary] == [False, True, True]
    logins = [entry for entry in jobs.sim.exchanges if entry.path == "/api/session"]
    assert [entry.status for entry in logins] == [401]


def test_an_item_that_was_created_goes_when_its_image_does_not_arrive(jobs: Jobs, images: Images) -> None:
    entry = {"src": str(images.iso), "checksum": "ab" * 32, "library_item": "fresh"}
    job = jobs.run("publish.yml", {"publish_libraries": "templates", "publish_items": [entry]}).failed()

    (failed,) = job.of("content_library_update_session")
    assert "checksum" in failed.result["msg"]
    assert "which this task created, was deleted again." in failed.result["msg"]
    assert "fresh" not in jobs.item_names()
    assert not jobs.sim.run(lambda store: store.active_update_sessions())


@pytest.mark.rest
def test_an_item_holds_the_image_of_tonight_and_not_that_of_last_night(jobs: Jobs, tmp_path: Path) -> None:
    jobs.sim.reset(Seed(libraries=(LibrarySeed("archive"),)))
    options = {"publish_libraries": "archive", "publish_library_item": "rocky"}
    for night in (27, 28):
        image = tmp_path / f"rocky-2026-11-{night}.iso"
        image.write_bytes(f"the image of day {night}".encode())
        job = jobs.run("publish.yml", {**options, "publish_src": str(image)}, "--diff").succeeded()
        assert jobs.contents("archive", "rocky") == {image.name: image.read_bytes()}
    (published,) = job.handed_over["content_library_published"]["localhost"]
    assert published["files_removed"] == ["rocky-2026-11-27.iso"]


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A server that vCenter does not trust, with one image under any name: its address and its thumbprint."""
    identity = make_identity(tmp_path_factory.mktemp("mirror"))
    with CannedServer(lambda request: Reply(200, b"" if request.method == "HEAD" else PULLED), identity=identity) as it:
        yield f"https://{it.hostname}:{it.port}", identity.thumbprint("sha1")


@pytest.mark.rest
def test_entries_say_what_goes_where(jobs: Jobs, images: Images, mirror: tuple[str, str]) -> None:
    """Each way to say it, in one play; the variables beside the entries count for those that do not say otherwise."""
    held = ("kept", "purged", "shrunk")
    libraries = (
        LibrarySeed("archive", tuple(ItemSeed(name, files={"old.iso": b"old"}) for name in held)),
        LibrarySeed("twin", id="twin-1"),
        LibrarySeed("twin", id="twin-2"),
    )
    jobs.sim.reset(Seed(libraries=libraries))
    url, thumbprint = mirror
    iso = str(images.iso)
    file, old = {"src": iso}, {"name": "old.iso", "state": "absent"}
    entries = [
        {"library_item": "renamed", "files": [{"src": iso, "name": "tools.iso"}], "description": "By its files"},
        {"library_item": "kept", "files": [file]},
        {"library_item": "purged", "files": [file], "purge_files": True},
        {"library_item": "shrunk", "files": [file, old]},
        {"library_item": "built", "files": [{"src": str(images.folder)}]},
        {"src": iso, "library_ids": ["twin-1"]},
        {"src": iso, "library_item": "listed", "library_ids": "twin-1, twin-2", "libraries": "archive"},
        {"src": str(images.signed), "library_item": "signed", "accepted_warnings": ",".join(SELF_SIGNED_RAISES)},
        {"url": f"{url}/more%20tools.iso?signature=1"},
    ]
    options = {
        "publish_libraries": "archive",
        "publish_description": "By the role",
        "publish_accepted_signer": "AB" * 32,
        "publish_ssl_thumbprint": thumbprint,
        "publish_items": entries,
    }

    job = jobs.run("publish.yml", options).succeeded()

    image = images.iso.read_bytes()
    whole = {path.name: path.read_bytes() for path in images.package}
    found = {(item.library.id, item.name): item for item in jobs.sim.run(lambda store: [*store.catalog.items.values()])}
    archive = jobs.sim.run(lambda store: store.find_library_id("archive"))
    assert {key: set(item.files) for key, item in found.items()} == {
        (archive, "renamed"): {"tools.iso"},
        (archive, "kept"): {"old.iso", "drivers.iso"},
        (archive, "purged"): {"drivers.iso"},
        (archive, "shrunk"): {"drivers.iso"},
        (archive, "built"): {"drivers.iso"},
        ("twin-1", "drivers"): {"drivers.iso"},
        (archive, "listed"): {"drivers.iso"},
        ("twin-1", "listed"): {"drivers.iso"},
        ("twin-2", "listed"): {"drivers.iso"},
        (archive, "signed"): set(whole),
        (archive, "more tools"): {"more tools.iso"},
    }
    assert jobs.contents("archive", "renamed") == {"tools.iso": image}
    assert jobs.contents("archive", "signed") == whole
    assert jobs.contents("archive", "more tools") == {"more tools.iso": PULLED}
    described = {key[1]: (item.type, item.description) for key, item in found.items()}
    assert described["renamed"] == ("iso", "By its files")
    assert described["signed"] == ("ovf", "By the role")
    assert described["drivers"] == ("iso", "By the role")
    shown = {entry["library_item"]: entry for entry in job.handed_over["content_library_published"]["localhost"]}
    assert shown["shrunk"]["files"] == ["drivers.iso"], "what is declared absent is not there"
    assert shown["kept"]["files"] == ["drivers.iso"], "what the entry does not name is not of it"
    assert shown["built"]["files"] == ["drivers.iso"], "not the directory in which it lies"
    assert sorted(shown["signed"]["files"]) == sorted(whole)


@pytest.mark.rest
def test_a_checksum_reaches_vcenter_and_a_wrong_one_leaves_no_item(
    jobs: Jobs, images: Images, mirror: tuple[str, str]
) -> None:
    url, thumbprint = mirror
    ids = [jobs.sim.run(lambda store: store.find_library_id("templates"))]
    right = {
        "publish_library_ids": ids,
        "publish_url": f"{url}/tools.iso",
        "publish_library_item": "pulled",
        "publish_checksum": hashlib.sha1(PULLED).hexdigest(),
        "publish_checksum_algorithm": "SHA1",
        "publish_ssl_thumbprint": thumbprint,
    }

    jobs.run("publish.yml", right).succeeded()
    (sent,) = announced(jobs.sim.exchanges)
    assert sent["checksum_info"] == {"algorithm": "SHA1", "checksum": right["publish_checksum"]}
    assert sent["source_endpoint"]["ssl_certificate_thumbprint"] == thumbprint
    assert jobs.contents("templates", "pulled") == {"tools.iso": PULLED}
    again = jobs.run("publish.yml", right).succeeded()
    assert (again.changed, jobs.mutations) == ([], []), "by its checksum, what a URL holds is known"

    wrong = {
        "publish_library_ids": ",".join(ids),
        "publish_src": str(images.iso),
        "publish_library_item": "pushed",
        "publish_checksum": "ab" * 32,
    }
    (refused,) = jobs.run("publish.yml", wrong).failed().of("content_library_update_session")
    assert "checksum" in refused.result["msg"]
    assert "pushed" not in jobs.item_names()


@pytest.mark.rest
def test_one_play_has_several_vcenters_fetch_from_a_mirror(jobs: Jobs, images: Images, tmp_path: Path) -> None:
    url, content = "ds:///vmfs/volumes/mirror/drivers.iso", images.iso.read_bytes()
    seed = Seed(libraries=(LibrarySeed("templates"), LibrarySeed("archive")), datastores={url: content})
    jobs.sim.reset(seed)
    with Simulator(seed=seed, settle=0.05) as other:
        vcenters = {"first": jobs.sim, "second": other}
        hosts = {
            name: {"vcenter_connection": {"hostname": sim.hostname, "port": sim.port, "ca_path": sim.ca_path}}
            for name, sim in vcenters.items()
        }
        login = {name: credential(jobs.sim)[name] for name in ("VMWARE_USER", "VMWARE_PASSWORD")}
        extra_vars = {
            "publish_libraries": "templates, archive",
            "publish_url": url,
            "publish_checksum": hashlib.sha256(content).hexdigest(),
            "vcenter_hosts": "all",
        }
        shared: dict[str, Any] = {
            "inventory": {"all": {"hosts": hosts}},
            "template_vars": {"publish_library_item": "drivers-{{ inventory_hostname }}"},
        }

        job = run_job(tmp_path / "many", "publish.yml", login, extra_vars, **shared).succeeded()

        assert set(job.handed_over["content_library_published"]) == {"first", "second"}
        for name, sim in vcenters.items():
            for library in ("templates", "archive"):
                assert contents(sim, f"drivers-{name}", library) == {"drivers.iso": content}
            assert not [entry for entry in sim.exchanges if entry.method == "PUT"]
        # Once for all hosts: they go together, as many at a time as there are forks.
        assert started(job, PUBLISHES) == 1

        one_by_one = {**extra_vars, "vcenter_serial": 1}
        again = run_job(tmp_path / "serial", "publish.yml", login, one_by_one, **shared).succeeded()

        assert not again.changed
        assert started(again, PUBLISHES) == 2
        order = [event["event_data"]["host"] for event in again.events if event["event"] == "runner_on_ok"]
        assert order == sorted(order), "the second one begins when the first one has gone through the whole play"


@pytest.mark.rest
def test_a_throttle_has_one_vcenter_after_the_other_receive_bytes(jobs: Jobs, images: Images) -> None:
    hosts = {name: {"publish_library_item": f"drivers-{name}"} for name in ("first", "second", "third")}
    extra_vars = {
        "vcenter_shared": True,
        "vcenter_hosts": "all",
        "publish_libraries": "templates",
        "publish_src": str(images.iso),
        "publish_throttle": 1,
    }
    job = jobs.run("publish.yml", extra_vars, inventory={"all": {"hosts": hosts}}).succeeded()

    assert started(job, PUBLISHES) == 1
    sessions = [entry for entry in jobs.sim.exchanges if entry.method == "POST" and SESSIONS.search(entry.path)]
    assert [action_of(entry) for entry in sessions] == ["", "complete"] * len(hosts), "none begins before another ends"
