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
  - The modules of this collection check each path in the same way when they open it.
options:
  src:
    description:
      - The paths of the files and directories to publish.
    type: list
    elements: path
    default: []
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

from collections.abc import Mapping
from typing import Any

from ..module_utils._task.run import run_check
from ..module_utils._transfer.allowed_directories import FETCH_DEST_ROOT, PUBLISH_SRC_ROOT, require_below
from ..module_utils._transfer.pull_source import credentials_in


def argument_spec() -> dict[str, Any]:
    return {"src": {"type": "list", "elements": "path", "default": []}, "dest": {"type": "path"}}


def require_allowed_paths(params: Mapping[str, Any]) -> None:
    """Raises InvalidArgument."""
    for path in params["src"]:
        require_below(PUBLISH_SRC_ROOT, "src", path)
    if params["dest"]:
        require_below(FETCH_DEST_ROOT, "dest", params["dest"])


def main() -> None:
    run_check(argument_spec(), require_allowed_paths, secrets=lambda params: credentials_in(params.get("src")))


if __name__ == "__main__":
    main()
