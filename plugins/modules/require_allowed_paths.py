#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: require_allowed_paths
short_description: Require that paths are where a job may read and write
version_added: 0.1.0
author:
  - The vsphere.content authors (@vsphere-content)
description:
  - Fails if a path is outside the directory that the operator of the job allows for it. The roles C(publish) and
    C(fetch) of this collection run this task first, before they look at a path or create a directory.
  - The environment variables E(VMWARE_PUBLISH_SRC_ROOT) and E(VMWARE_FETCH_DEST_ROOT) name these directories, or
    C(publish_src_root) and C(fetch_dest_root) in the section C(vsphere_content) of C(ansible.cfg). No option and no
    variable of a play can name them, so a user who may only launch a job cannot either. If a directory is not named,
    every path is allowed.
  - The task follows links and C(..), and compares the real path on the host that runs it.
  - It also says what stands at each path of O(src), so that a playbook needs no other task to look there.
  - The modules of this collection check each path in the same way when they open it.
options:
  src:
    description:
      - The paths of the files and directories to publish.
    type: list
    elements: path
    default: []
  recurse:
    description:
      - Whether to look for images in the subdirectories of a directory in O(src), too.
    type: bool
    default: false
  dest:
    description:
      - The path of the directory to fetch to. It need not exist yet.
    type: path
extends_documentation_fragment:
  - vsphere.content.attributes.info
seealso:
  - module: vsphere.content.content_library_update_session
  - module: vsphere.content.content_library_download_session
"""

EXAMPLES = r"""
- name: Require that the directory is one that this job may write to
  vsphere.content.require_allowed_paths:
    dest: "{{ fetch_dest | default('/srv/images') }}"
"""

RETURN = r"""
sources:
  description: What stands at each path of O(src), in the same order.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The path, with C(~) and environment variables replaced.
      type: str
      sample: /srv/images
    exists:
      description: Whether there is something at the path.
      type: bool
    is_directory:
      description: Whether that is a directory.
      type: bool
    images:
      description:
        - The paths of each C(.ovf), C(.ova) and C(.iso) in the directory. Names that begin with a dot are left out.
        - Empty for a file.
      type: list
      elements: str
      sample: [/srv/images/rocky9.ova]
error:
  description: What is wrong, in a form that a playbook can test.
  returned: on failure
  type: dict
  sample:
    type: INVALID_ARGUMENT
    status:
    operation:
    messages: []
    data:
    session_id:
  contains:
    type:
      description: V(INVALID_ARGUMENT) for a path that is not allowed.
      type: str
    status:
      description: Always none here.
      type: int
    operation:
      description: Always none here.
      type: str
    messages:
      description: Always empty here.
      type: list
      elements: dict
    data:
      description: Always none here.
      type: dict
    session_id:
      description: Always none here.
      type: str
"""

import os
import stat
from collections.abc import Mapping
from typing import Any

from ..module_utils._task.run import run_check
from ..module_utils._transfer.allowed_directories import FETCH_DEST_ROOT, PUBLISH_SRC_ROOT, require_below
from ..module_utils._transfer.pull_source import credentials_in
from ..module_utils._transfer.source_directory import find_images
from ..module_utils._vcenter.errors import InvalidArgument


def argument_spec() -> dict[str, Any]:
    return {
        "src": {"type": "list", "elements": "path", "default": []},
        "recurse": {"type": "bool", "default": False},
        "dest": {"type": "path"},
    }


def require_allowed_paths(params: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidArgument."""
    for path in params["src"]:
        require_below(PUBLISH_SRC_ROOT, "src", path)
    if params["dest"]:
        require_below(FETCH_DEST_ROOT, "dest", params["dest"])
    return {"sources": [_look_at(path, recurse=params["recurse"]) for path in params["src"]]}


def _look_at(path: str, *, recurse: bool) -> dict[str, Any]:
    try:
        is_directory = stat.S_ISDIR(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return {"path": path, "exists": False, "is_directory": False, "images": []}
    except (OSError, ValueError) as error:
        raise InvalidArgument(
            f"src {path} cannot be looked at: {getattr(error, 'strerror', error)}",
            remedy="Give the user that runs this task the right to read it, or correct the path.",
        ) from None
    images = find_images(path, recurse=recurse) if is_directory else []
    return {"path": path, "exists": True, "is_directory": is_directory, "images": images}


def main() -> None:
    run_check(argument_spec(), require_allowed_paths, secrets=lambda params: credentials_in(params.get("src")))


if __name__ == "__main__":
    main()
