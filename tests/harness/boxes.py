# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packages of a few bytes, as different as people write them. `packages` makes those with real disks and signatures."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import quoteattr

OVF = "http://schemas.dmtf.org/ovf/envelope/1"
PLAIN = f'<Envelope xmlns="{OVF}" xmlns:ovf="{OVF}"><References>{{files}}</References></Envelope>'
FILE = "<File ovf:id={id} ovf:href={href}{more}/>"
LINE = "{label}({name})= {digest}\n"


@dataclass(frozen=True)
class Box:
    """A package to be made: what its descriptor references, with further attributes, and which files there are.

    `files` are the names on disk, where they are others than the references. `manifest` is the form of a line and its
    algorithm, None for a package without one.
    """

    references: Mapping[str, str] = field(default_factory=lambda: {"disk.vmdk": ""})
    files: tuple[str, ...] | None = None
    envelope: str = PLAIN
    entry: str = FILE
    encoding: str = "utf-8"
    manifest: tuple[str, str] | None = (LINE, "SHA256")
    tar: int = tarfile.GNU_FORMAT
    prefix: str = ""
    empty: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.references) if self.files is None else self.files

    def contents(self, salt: str = "") -> dict[str, bytes]:
        """The files as the item will hold them; of a `salt`, the last one has another byte."""
        rows = (
            self.entry.format(id=quoteattr(f"f{number}"), href=quoteattr(href), more=more)
            for number, (href, more) in enumerate(self.references.items())
        )
        files = {"box.ovf": self.envelope.format(files="".join(rows)).encode(self.encoding)}
        for number, name in enumerate(self.names):
            last = number == len(self.names) - 1
            files[name] = b"" if self.empty and not last else (b"%d" % number) * 100 + salt.encode() * last
        return files

    def write(self, place: Path, shape: str, salt: str = "") -> Path:
        place.mkdir(exist_ok=True)
        files = self.contents(salt)
        if self.manifest:
            form, label = self.manifest
            lines = (
                form.format(label=label, name=name, digest=hashlib.new(label.lower(), content).hexdigest())
                for name, content in files.items()
            )
            files["box.mf"] = "".join(lines).encode()
        if shape == "directory":
            for name, content in files.items():
                (place / name).write_bytes(content)
            return place / "box.ovf"
        with tarfile.open(place / "box.ova", "w", format=self.tar) as archive:
            for name, content in files.items():
                entry = tarfile.TarInfo(self.prefix + name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        return place / "box.ova"


def named(*names: str) -> Box:
    return Box(dict.fromkeys(names, ""))
