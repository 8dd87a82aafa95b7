# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packages as people have them: each is published, found again, published with another byte, and fetched."""

from __future__ import annotations

import re
import tarfile
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.harness.boxes import LINE, OVF, PLAIN, Box, named
from tests.harness.held import contents
from tests.harness.samples import waiting
from tests.harness.tasks import Tasks, fetch, files_in, src

SHAPES = pytest.mark.parametrize("shape", ["directory", "OVA"])


QUALIFIED = f'<o:Envelope xmlns:o="{OVF}"><o:References>{{files}}</o:References></o:Envelope>'
OLD = (
    '<ovf:Envelope xmlns:ovf="http://www.vmware.com/schema/ovf/1/envelope"><References>{files}</References>'
    "</ovf:Envelope>"
)
FOREIGN = PLAIN.replace(
    "</References>", '<x:File xmlns:x="urn:x" x:href="gone"/></References><x:References xmlns:x="urn:x"/>'
)
NESTED = PLAIN.replace("</Envelope>", '<Section><References><File ovf:href="gone"/></References></Section></Envelope>')
TAKEN: dict[str, Box] = {
    "one disk": named("disk.vmdk"),
    "no file": Box({}),
    "an image and an nvram": named("disk.vmdk", "tools.iso", "box.nvram"),
    "ten disks": named(*(f"disk{number}.vmdk" for number in range(10))),
    "an empty file": Box({"empty.txt": "", "disk.vmdk": ""}, empty=True),
    "a blank": named("my disk.vmdk"),
    "a blank, encoded": Box({"my%20disk.vmdk": ""}, ("my disk.vmdk",)),
    "a name that is encoded itself": named("my%20disk.vmdk"),
    "a percent sign, encoded": Box({"100%25.vmdk": ""}, ("100%.vmdk",)),
    "a percent sign alone": named("100%.vmdk"),
    "decoded only once": Box({"a%2520b.vmdk": ""}, ("a%20b.vmdk",)),
    "Cyrillic, encoded": Box({"%D0%B4.vmdk": ""}, ("д.vmdk",)),
    "Cyrillic": named("диск.vmdk"),
    "dot and slash": Box({"./disk.vmdk": ""}, ("disk.vmdk",)),
    "dot, slash and an encoded blank": Box({"./my%20disk.vmdk": ""}, ("my disk.vmdk",)),
    "an ideographic space": named("検証\u3000機.vmdk"),
    "a no-break space": named("my\u00a0disk.vmdk"),
    "a thin space": named("10\u2009GiB.vmdk"),
    "a joiner": named("vm-👩\u200d💻.vmdk"),
    "a soft hyphen": named("long\u00adname.vmdk"),
    "a private use character": named("a\uf022.vmdk"),
    "composed": named(unicodedata.normalize("NFC", "é.vmdk")),
    "decomposed": named(unicodedata.normalize("NFD", "é.vmdk")),
    "a colon": named("vm: 2.vmdk"),
    "a drive": named("C:disk.vmdk"),
    "parentheses": named("disk (1).vmdk"),
    "an equals sign": named("a)= b.vmdk"),
    "marks of XML": named("a&'b\"<.vmdk"),
    "marks of URLs": named("disk#1?a=b.vmdk"),
    "a leading dash": named("-disk.vmdk"),
    "a leading dot": named(".disk.vmdk"),
    "capitals": named("DISK.VMDK"),
    "a long name": named("x" * 200 + ".vmdk"),
    "a qualified envelope": Box(envelope=QUALIFIED, entry="<o:File o:id={id} o:href={href}{more}/>"),
    "an envelope of OVF 0.9": Box(envelope=OLD),
    "no namespace": Box(
        envelope="<Envelope><References>{files}</References></Envelope>", entry="<File id={id} href={href}{more}/>"
    ),
    "namespaces of two versions": Box(envelope=PLAIN.replace("envelope/1", "envelope/2", 1)),
    "UTF-8 with a mark": Box(encoding="utf-8-sig"),
    "UTF-16": Box(encoding="utf-16", envelope='<?xml version="1.0" encoding="UTF-16"?>' + PLAIN),
    "foreign elements": Box(envelope=FOREIGN),
    "references elsewhere": Box(envelope=NESTED),
    "identity": Box({"disk.vmdk": ' ovf:compression="identity"'}),
    "two parts": Box(
        {"disk.vmdk": ' ovf:size="200" ovf:chunkSize="100"'}, ("disk.vmdk.000000000", "disk.vmdk.000000001")
    ),
    "one part": Box({"disk.vmdk": ' ovf:size="100" ovf:chunkSize="7516192768"'}, ("disk.vmdk.000000000",)),
    "parts without a size": Box(
        {"disk.vmdk": ' ovf:chunkSize="100"'}, tuple(f"disk.vmdk.{number:09d}" for number in range(3))
    ),
    "parts of an encoded name": Box({"my%20disk": ' ovf:size="9" ovf:chunkSize="9"'}, ("my disk.000000000",)),
    "no manifest": Box(manifest=None),
    "SHA1": Box(manifest=(LINE, "SHA1")),
    "SHA512": Box(manifest=(LINE, "SHA512")),
    "a manifest of Windows": Box(manifest=(LINE.replace("\n", "\r\n"), "SHA256")),
    "a manifest without blanks": Box(manifest=(LINE.replace("= ", "="), "SHA256")),
}
ARCHIVES: dict[str, Box] = {
    "ustar": Box(tar=tarfile.USTAR_FORMAT),
    "pax for a long name": Box({"x" * 200 + ".vmdk": ""}, tar=tarfile.PAX_FORMAT),
    "tar of a directory": Box(prefix="./"),
}
#: What goes in an archive the way of others, and is not tried there.
ALIKE = (
    "an image and an nvram",
    "a name that is encoded itself",
    "a percent sign alone",
    "decoded only once",
    "Cyrillic",
    "a thin space",
    "a soft hyphen",
    "a private use character",
    "composed",
    "a drive",
    "an equals sign",
    "marks of URLs",
    "a leading dash",
    "a leading dot",
    "capitals",
    "no namespace",
    "an envelope of OVF 0.9",
    "namespaces of two versions",
    "UTF-16",
    "foreign elements",
    "references elsewhere",
    "one part",
    "SHA1",
)
ROWS = [
    *((name, "directory") for name in TAKEN),
    *((name, "OVA") for name in (*TAKEN, *ARCHIVES) if name not in ALIKE),
]


def task(path: Path, **options: Any) -> dict[str, Any]:
    return {"library": "templates", "library_item": "rocky9", "state": "done", "files": [src(path)], **options}


@pytest.mark.parametrize(
    ("feature", "shape"), waiting([("-".join(row), row, not number % 5) for number, row in enumerate(ROWS)], one_in=2)
)
def test_a_package_is_published_and_found_changed_and_fetched(
    one: Tasks, tmp_path: Path, dest: Path, feature: str, shape: str
) -> None:
    box = {**TAKEN, **ARCHIVES}[feature]
    path = box.write(tmp_path / "box", shape)
    first = one.run(**task(path))
    assert first.changed, first.msg
    assert [text for text in first.outcome.warnings if "pax" not in text] == []
    assert contents(one.sim, "rocky9") == box.contents()
    again = one.run(**task(path))
    assert not again.changed
    assert again.mutations == []
    if box.names:
        box.write(tmp_path / "box", shape, "!")
        assert one.run(**task(path)).changed
        assert contents(one.sim, "rocky9") == box.contents("!")
    assert not one.run(**fetch(dest)).failed
    assert files_in(dest) == box.contents("!" * bool(box.names))


def in_parts(*numbers: int) -> tuple[str, ...]:
    return tuple(f"disk.vmdk.{number:09d}" for number in numbers)


REFUSED: dict[str, tuple[Box, str]] = {
    "a page of a web server": (Box(envelope="<html><body/></html>"), "its root element is 'html'"),
    "an envelope of SOAP": (
        Box(envelope='<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"/>'),
        "its root element is 'Envelope'",
    ),
    "a compressed disk": (
        Box({"disk.vmdk.gz": ' ovf:size="100" ovf:compression="gzip"'}),
        "vCenter takes no package with compressed disks",
    ),
    "a file that is not there": (Box({"disk.vmdk": "", "gone.vmdk": ""}, ("disk.vmdk",)), "'gone.vmdk'"),
    "two references to one file": (
        Box({"my disk.vmdk": "", "my%20disk.vmdk": ""}, ("my disk.vmdk",)),
        "references 'my disk.vmdk' twice",
    ),
    "another form of Unicode": (
        Box({unicodedata.normalize("NFC", "é.vmdk"): ""}, (unicodedata.normalize("NFD", "é.vmdk"),)),
        r"'e\u0301.vmdk' is there, which looks like '\xe9.vmdk' and is another name",
    ),
    "a separator, encoded": (Box({"..%2Fdisk.vmdk": ""}, ("disk.vmdk",)), "'..%2Fdisk.vmdk'"),
    "a URL": (Box({"https://mirror/disk.vmdk": ""}, ("disk.vmdk",)), "which is not a file beside it"),
    "a datastore": (Box({"ds:disk.vmdk": ""}, ("disk.vmdk",)), "which is not a file beside it"),
    "a line separator": (Box({"a\u2028b.vmdk": ""}, ("disk.vmdk",)), r"'a\u2028b.vmdk'"),
    "an override of the direction": (Box({"a\u202eb.vmdk": ""}, ("disk.vmdk",)), r"'a\u202eb.vmdk'"),
    "a gap in the parts": (
        Box({"disk.vmdk": ' ovf:size="300" ovf:chunkSize="100"'}, in_parts(0, 2)),
        "the parts of 'disk.vmdk' go to 'disk.vmdk.000000002'",
    ),
    "a gap in parts without a size": (
        Box({"disk.vmdk": ' ovf:chunkSize="100"'}, in_parts(0, 2)),
        "the parts of 'disk.vmdk' go to 'disk.vmdk.000000002'",
    ),
    "a package in the package": (Box({"disk.vmdk": "", "other.OVA": ""}), "'other.OVA'"),
    "another descriptor": (Box({"disk.vmdk": "", ".ovf": ""}), "which vCenter takes for a package of its own"),
    "no first part": (Box({"disk.vmdk": ' ovf:chunkSize="100"'}, in_parts(1)), "'disk.vmdk.000000000'"),
}


@SHAPES
@pytest.mark.parametrize("feature", REFUSED)
def test_a_package_that_cannot_be_right_is_refused(one: Tasks, tmp_path: Path, feature: str, shape: str) -> None:
    box, said = REFUSED[feature]
    run = one.refuse(**task(box.write(tmp_path / "box", shape)))
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert said in run.msg
    assert run.exchanges == ()


#: Names but for those of signatures: only vCenter tells whether one is valid.
NAMES = st.text(
    st.characters(exclude_characters="\0/", exclude_categories=["Cs"]) | st.sampled_from("%2 .:\\\u200d\u202e"),
    min_size=1,
    max_size=12,
).filter(lambda name: name not in (".", "..") and not name.lower().endswith((".mf", ".cert")))
#: What an XML document can say of a name.
IN_XML = re.compile("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")


@SHAPES
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(NAMES, min_size=1, max_size=4, unique=True))
def test_any_names_are_published_whole_or_refused_before_a_session(
    one: Tasks, tmp_path_factory: pytest.TempPathFactory, shape: str, names: list[str]
) -> None:
    one.sim.reset()
    box = Box(dict.fromkeys(filter(IN_XML.fullmatch, names), ""), tuple(names))
    run = one.run(**task(box.write(tmp_path_factory.mktemp("any") / "box", shape)))
    if run.failed:
        assert run.error["type"] == "INVALID_ARGUMENT"
        assert run.mutations == []
        return
    brought = {name: content for name, content in box.contents().items() if shape == "OVA" or name in box.references}
    assert contents(one.sim, "rocky9") == {**brought, "box.ovf": box.contents()["box.ovf"]}
