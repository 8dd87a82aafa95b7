# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role publish, by its playbook: again and again, in check mode, and when it cannot."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.harness.packages import make_iso
from tests.harness.servers import CannedServer, Reply, make_identity
from tests.harness.tasks import action_of, announced
from tests.roles.conftest import Images, Jobs, contents
from tests.roles.jobs import Job, credential, run_job, verified
from tests.simulator import ItemSeed, LibrarySeed, Seed, Simulator

PACKAGE = {"rocky9.ovf": b"<Envelope/>", "rocky9-disk1.vmdk": b"disk"}
SECONDS = 120
PULLED = b"an image that lies on a mirror"
SESSIONS = re.compile(r"/update-session(\?client_token=\S+|/[0-9a-f:-]+\?action=complete)?$")
PUBLISHES = "Make sure that the item holds the image"


def started(job: Job, task: str) -> int:
    """How many times a task was started, for however many hosts."""
    names = [event["event_data"]["task"] for event in job.events if event["event"] == "playbook_on_task_start"]
    return names.count(task)


def test_a_directory_is_published_once_and_shown_in_check_mode(jobs: Jobs, images: Images) -> None:
    options = {
        "publish_libraries": "archive",
        "publish_src": str(images.folder),
        "publish_recurse": True,
        "publish_accepted_warnings": ["SELF_SIGNED_CERTIFICATE"],
    }
    jobs.sim.reset(Seed(libraries=(LibrarySeed("archive"),)))

    predicted = jobs.run("publish.yml", options, "--check").succeeded()
    assert not jobs.mutations
    assert "The item rocky9 would be made in archive, to hold rocky9.ovf." in predicted.stdout
    assert len(predicted.of("content_library_item")) == 2

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


def test_two_images_for_one_item_are_refused(jobs: Jobs, tmp_path: Path) -> None:
    for name in ("Rocky.iso", "rocky.ovf", "tools.iso"):
        make_iso(tmp_path / name, 1000)
    url = {"url": "https://mirror.example.com/tools.iso?key=1", "libraries": ["archive", "templates"]}
    options = {"publish_libraries": ["templates"], "publish_src": str(tmp_path), "publish_items": [url]}
    job = jobs.run("publish.yml", options).failed()
    said = " ".join(job.stdout.split())
    assert "each would replace the one before: rocky in templates, tools in templates. Name their" in said, said
    assert not jobs.mutations


def test_an_item_that_was_there_stays_when_publishing_fails(jobs: Jobs, images: Images) -> None:
    rocky9 = {"library_item": "rocky9", "src": str(images.signed), "description": "November"}
    job = jobs.run("publish.yml", {"publish_libraries": ["templates"], "publish_items": [rocky9]}).failed()

    assert [task.verdict for task in job.of("content_library_update_session")] == ["failed"]
    # The run has changed its description, which does not make it this run's item.
    assert job.changed == ["Make sure that the item is there"]
    assert "rocky9" in jobs.item_names()
    assert not jobs.sim.run(lambda store: store.active_update_sessions())


@pytest.mark.parametrize("kind", ["image", "package", "image-by-files"])
def test_an_image_of_another_type_is_refused_and_the_item_stays_as_it_is(jobs: Jobs, images: Images, kind: str) -> None:
    item = ItemSeed("rocky9", "iso", {"old.iso": b"old"}) if kind == "package" else ItemSeed("rocky9", "ovf", PACKAGE)
    jobs.sim.reset(Seed(libraries=(LibrarySeed("archive", (item,)),)))
    entries: dict[str, dict[str, Any]] = {
        "image": {"src": str(images.iso), "checksum": "ab" * 32, "description": "November"},
        "package": {"src": str(images.signed), "accepted_warnings": "SELF_SIGNED_CERTIFICATE"},
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


def test_an_empty_item_is_given_the_type_of_its_image(jobs: Jobs, images: Images) -> None:
    jobs.sim.reset(Seed(libraries=(LibrarySeed("archive", (ItemSeed("rocky9", "ovf"),)),)))
    options = {"publish_libraries": "archive", "publish_src": str(images.iso), "publish_library_item": "rocky9"}

    predicted = jobs.run("publish.yml", options, "--check").succeeded()
    assert "The item rocky9 would be given the type iso in archive, to hold drivers.iso." in predicted.stdout
    assert not jobs.mutations

    jobs.run("publish.yml", options).succeeded()
    assert jobs.contents("archive", "rocky9") == {"drivers.iso": images.iso.read_bytes()}
    assert jobs.sim.run(lambda store: [item.type for item in store.catalog.items.values()]) == ["iso"]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"files": [{"scr": "IMAGE"}]}, "Unsupported parameters"),
        ({"src": "BROKEN"}, "broken.ovf"),
        ({"src": "IMAGE", "checksum": "ab" * 32}, "checksum"),
    ],
    ids=["a misspelt option", "a package that cannot be read", "an image that is not sent whole"],
)
def test_an_item_that_was_made_goes_whatever_it_was_that_failed(
    jobs: Jobs, images: Images, tmp_path: Path, entry: dict[str, Any], reason: str
) -> None:
    broken = tmp_path / "broken.ovf"
    broken.write_text("<Envelope", encoding="utf-8")
    given = json.loads(json.dumps(entry).replace("IMAGE", str(images.iso)).replace("BROKEN", str(broken)))
    options = {"publish_libraries": "templates", "publish_items": [{**given, "library_item": "fresh"}]}

    job = jobs.run("publish.yml", options).failed()

    (failed,) = [task for task in job.of("content_library_update_session") if task.verdict == "failed"]
    assert reason in failed.result["msg"]
    assert failed.result["msg"].endswith("The item fresh, which this run had made, was deleted again.")
    assert "fresh" not in jobs.item_names()
    assert not jobs.sim.run(lambda store: store.active_update_sessions())


def test_an_item_that_may_have_its_content_stays(images: Images, tmp_path: Path) -> None:
    with Simulator(seed=Seed(completing_seconds=60), settle=0.05) as slow:
        options = {
            "publish_libraries": "templates",
            "publish_src": str(images.iso),
            "publish_library_item": "fresh",
            "publish_wait_timeout": 1,
        }
        job = run_job(tmp_path / "job", "publish.yml", verified(credential(slow), slow), options).failed()

        (failed,) = job.of("content_library_update_session")
        assert failed.result["item_changed"]
        assert "The item fresh, which this run had made, stays, as it may have its new content." in failed.result["msg"]
        assert slow.run(lambda store: store.find_item_id("templates", "fresh"))


def test_what_failed_is_cleaned_up_while_other_hosts_are_still_sending(
    jobs: Jobs, images: Images, tmp_path: Path
) -> None:
    """With the usual strategy, a task of a rescue would only begin when the longest upload of the play is over."""
    with Simulator(settle=0.05) as other:
        hosts = {
            name: {"vcenter_connection": {"hostname": sim.hostname, "port": sim.port, "ca_path": sim.ca_path}}
            for name, sim in (("failing", jobs.sim), ("sending", other))
        }
        options = {
            "vcenter_hosts": "all",
            "publish_libraries": "templates",
            "publish_src": str(images.iso),
            "publish_library_item": "fresh",
        }
        jobs.sim.inject("PUT:*:*:transfer-error")
        other.inject("PUT:*:1:hold")
        inventory = {"all": {"hosts": hosts}}
        env = {**credential(other), "VMWARE_ALLOWED_HOSTS": f"{jobs.sim.hostname}:{jobs.sim.port}"}
        with ThreadPoolExecutor(1) as beside:
            job = beside.submit(run_job, tmp_path / "job", "publish.yml", env, options, inventory=inventory)
            assert other.wait_until_held(SECONDS)
            deadline = time.monotonic() + SECONDS
            while not item_was_deleted(jobs):
                assert time.monotonic() < deadline, "the item stays while the other host is sending"
                time.sleep(0.1)
            other.release()
            done = job.result(SECONDS).failed()
        assert list(done.stats["failures"]) == ["failing"]
        assert contents(other, "templates", "fresh") == {"drivers.iso": images.iso.read_bytes()}


def item_was_deleted(jobs: Jobs) -> bool:
    return any(entry.method == "DELETE" and "session" not in entry.path for entry in jobs.sim.exchanges)


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A server that vCenter does not trust, with one image under any name: its address and its thumbprint."""
    identity = make_identity(tmp_path_factory.mktemp("mirror"))
    with CannedServer(lambda request: Reply(200, b"" if request.method == "HEAD" else PULLED), identity=identity) as it:
        yield f"https://{it.hostname}:{it.port}", identity.thumbprint("sha256")


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
        {"src": iso, "library_ids": ["twin-1"]},
        {"src": iso, "library_item": "listed", "library_ids": "twin-1, twin-2"},
        {"src": str(images.signed), "library_item": "signed", "accepted_warnings": "SELF_SIGNED_CERTIFICATE"},
        {"url": f"{url}/more%20tools.iso?signature=1"},
    ]
    options = {
        "publish_libraries": "archive",
        "publish_description": "By the role",
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
        ("twin-1", "drivers"): {"drivers.iso"},
        ("twin-1", "listed"): {"drivers.iso"},
        ("twin-2", "listed"): {"drivers.iso"},
        (archive, "signed"): set(whole),
        (archive, "more tools"): {"more tools.iso"},
    }
    assert jobs.contents("archive", "renamed") == {"tools.iso": image}
    assert jobs.contents("archive", "signed") == whole
    assert jobs.contents("archive", "more tools") == {"more tools.iso": PULLED}
    described = {key[1]: (item.type, item.description) for key, item in found.items()}
    assert described["renamed"] == ("", "By its files")
    assert described["signed"] == ("ovf", "By the role")
    assert described["drivers"] == ("iso", "By the role")
    shown = {entry["library_item"]: entry for entry in job.handed_over["content_library_published"]["localhost"]}
    assert shown["shrunk"]["files"] == ["drivers.iso"], "what is declared absent is not there"


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
            "publish_library_item": "drivers-{{ inventory_hostname }}",
            "publish_url": url,
            "publish_checksum": hashlib.sha256(content).hexdigest(),
            "vcenter_hosts": "all",
        }
        inventory = {"all": {"hosts": hosts}}

        job = run_job(tmp_path / "many", "publish.yml", login, extra_vars, inventory=inventory).succeeded()

        assert set(job.handed_over["content_library_published"]) == {"first", "second"}
        for name, sim in vcenters.items():
            for library in ("templates", "archive"):
                assert contents(sim, library, f"drivers-{name}") == {"drivers.iso": content}
            assert not [entry for entry in sim.exchanges if entry.method == "PUT"]
        # Once for each library, and not for each host: they go together, as many at a time as there are forks.
        assert started(job, PUBLISHES) == 2

        one_by_one = {**extra_vars, "vcenter_serial": 1}
        again = run_job(tmp_path / "serial", "publish.yml", login, one_by_one, inventory=inventory).succeeded()

        assert not again.changed
        assert started(again, PUBLISHES) == 4
        order = [event["event_data"]["host"] for event in again.events if event["event"] == "runner_on_ok"]
        assert order == sorted(order), "the second one begins when the first one has gone through the whole play"


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
