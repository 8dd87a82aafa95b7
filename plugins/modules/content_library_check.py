#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: content_library_check
short_description: Check whether a vCenter and its libraries work
version_added: 0.1.0
author:
  - The vsphere.content authors (@vsphere-content)
description:
  - Looks at a vCenter, at the account, and at the libraries of O(libraries) by reading alone. RV(rows) says what was
    looked at, what was found, whether a publish will fail for it, and what to do.
  - With O(trial) the task also tries what a publish does, in items of its own that it then deletes. RV(observations)
    says what this vCenter does, and whether that is what is known of vCenters.
  - With O(report) the task writes what it saw to a file that you can send. The file holds no name, no address, no
    identifier, no text of a message and no other text that is not in a list of this collection.
  - A vCenter that is down, a login that is refused and a certificate that is not trusted are rows, and not failures of
    the task. The task fails only if its options are wrong, or if it could not take away what it made.
  - The task never sends a wrong password, and does not try how many logins are allowed. It sends a few requests without
    a login, which vCenter refuses.
extends_documentation_fragment:
  - vsphere.content.attributes
  - vsphere.content.attributes.group
  - vsphere.content.connection
attributes:
  check_mode:
    description: Reads as always, and neither runs the trial nor writes the report.
    support: full
  diff_mode:
    description: Takes away what it makes, so there is no diff to show.
    support: none
  idempotent:
    description: A trial makes and deletes its items each time. Without O(trial) the task changes nothing.
    support: partial
options:
  libraries:
    description:
      - The names of the content libraries to look at.
    type: list
    elements: str
    default: []
  trial:
    description:
      - Whether to try out what a publish does, with a small ISO, a signed OVF package and an OVA that the task makes.
      - It needs exactly one library in O(libraries). A library that is published, or that subscribes to another one, is
        refused, as others would get what the trial makes.
      - The name and the description of each item have a random identifier and the time. What a trial left that was
        killed, a later one deletes if the item has both, holds no other file, and is more than an hour old by the
        clock of the vCenter. It lists others in RV(left).
    type: bool
    default: false
  url:
    description:
      - A file that vCenter shall fetch in the trial, to see how it does that. It needs O(trial).
    type: str
  slow:
    description:
      - Whether the trial also observes what takes some minutes, such as when a session expires. It needs O(trial).
    type: bool
    default: false
  report:
    description:
      - The file to which the task writes its report, on the host that runs it. Only its owner can read it.
      - An existing file is replaced only if it is a report.
      - If E(VMWARE_FETCH_DEST_ROOT) is set, or C(fetch_dest_root) in the section C(vsphere_content) of C(ansible.cfg),
        the file must be below that directory.
    type: path
seealso:
  - module: vsphere.content.content_library_session_info
  - module: vsphere.content.content_library_item_info
"""

EXAMPLES = r"""
# The connection comes from VMWARE_HOST, VMWARE_USER and VMWARE_PASSWORD, or from module_defaults.
- name: See whether a publish can work
  vsphere.content.content_library_check:
    libraries: [templates]
  register: checked

- name: Stop if it cannot
  ansible.builtin.assert:
    that: checked.usable
    fail_msg: "{{ checked.rows | selectattr('verdict', 'equalto', 'will_fail') | map(attribute='remedy') | join(' ') }}"

- name: Try it out, and write a report
  vsphere.content.content_library_check:
    libraries: [templates]
    trial: true
    report: /tmp/vcenter-report.json
"""

RETURN = r"""
rows:
  description: What was looked at, in this order.
  returned: success
  type: list
  elements: dict
  sample:
    - about: connection to vcenter.example.com
      found: it answers
      verdict: ok
      remedy:
  contains:
    about:
      description: What the row is about, such as V(library templates).
      type: str
    found:
      description: What was found.
      type: str
    verdict:
      description:
        - V(ok) if it does not speak against a publish, V(will_fail) if a publish will fail for it, and V(unknown) if
          reading does not tell.
      type: str
    remedy:
      description: What to do, or none if there is nothing to do.
      type: str
usable:
  description: Whether no row has the verdict V(will_fail).
  returned: success
  type: bool
observations:
  description: What the vCenter does, for each point on which vCenters differ or of which nobody knows what they do.
  returned: success
  type: list
  elements: dict
  sample:
    - name: range
      seen: honoured
      fits: as_known
      world:
      fact: range-of-downloads
      sentence: "A request for a part of a download: honoured."
  contains:
    name:
      description: The name of the point.
      type: str
    seen:
      description:
        - What was seen. V(unobserved) if the point could not be observed, V(other) if it is nothing that anybody has
          thought of.
      type: str
    fits:
      description:
        - V(as_known) if this is what is known, V(another_world) if it is another possibility that is known, and V(new)
          for others. None for a point that was not observed.
      type: str
    world:
      description: For V(another_world) the setting of the simulator that does the same, as NAME=VALUE, if it has one.
      type: str
    fact:
      description: The fact that it confirms, refutes or adds to, by its name.
      type: str
    sentence:
      description: The observation in words.
      type: str
report:
  description: Where the report is, or none if none was written.
  returned: success
  type: str
taken_away:
  description: The items that the trial deleted, its own ones and those that an earlier one had left.
  returned: success
  type: list
  elements: dict
  contains:
    library:
      description: The name of the library.
      type: str
    library_item:
      description: The name of the item.
      type: str
    why:
      description: Why it was deleted.
      type: str
left:
  description: The items that look like those of a trial, and stay.
  returned: success
  type: list
  elements: dict
  contains:
    library:
      description: The name of the library.
      type: str
    library_item:
      description: The name of the item.
      type: str
    why:
      description: Why it stays.
      type: str
error:
  description: What went wrong, in a form that a playbook can test.
  returned: on failure
  type: dict
  sample:
    type: UNAUTHENTICATED
    status: 401
    operation: session.login
    messages: []
    data:
    session_id:
  contains:
    type:
      description:
        - The type of the failure, by vCenter's name, such as V(NOT_FOUND) or V(RESOURCE_BUSY), or one of
          V(CONNECTION_FAILED), V(TLS_UNVERIFIED), V(INVALID_RESPONSE), V(TRANSFER_FAILED), V(CHECKSUM_MISMATCH),
          V(TIMED_OUT), V(WARNINGS_NOT_IGNORED), V(SIGNER_NOT_ACCEPTED).
      type: str
    status:
      description: The HTTP status, or none if no answer came.
      type: int
    operation:
      description: The operation of the API that failed.
      type: str
    messages:
      description: The server's messages, unchanged.
      type: list
      elements: dict
    data:
      description: What the server sent with the failure besides its messages.
      type: dict
    session_id:
      description: The session in which it happened, if there is one.
      type: str
trace:
  description:
    - Each request that the task sent, in the order in which they began, including those that it sent again. It never
      contains headers or bodies.
  returned: at C(-vvv) and above
  type: list
  elements: dict
  sample:
    - method: GET
      path: /api/content/library/item/0b1e1a5c-6d3c-4b53-9a19-6c0e2c9f8a55
      status: 200
      milliseconds: 12
  contains:
    method:
      description: The verb.
      type: str
    path:
      description:
        - The path. For an operation of the API, it includes the query.
        - For content that was sent or fetched, it has no query, and includes the host if that is not the vCenter.
      type: str
    status:
      description: The HTTP status of the answer, or none if no answer came.
      type: int
    milliseconds:
      description: The time until the head of the answer came. It includes sending a file, but not receiving one.
      type: int
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._check.check import Wanted, check, read_wanted
from ..module_utils._task.converge import Task
from ..module_utils._task.run import run_module
from ..module_utils._transfer.pull_source import credentials_in
from ..module_utils._vcenter.timing import SYSTEM_CLOCK, Clock


def check_vcenter(module: AnsibleModule, task: Task, wanted: Wanted) -> dict[str, Any]:
    return check(task, wanted, check_mode=module.check_mode)


def main(clock: Clock = SYSTEM_CLOCK) -> None:
    run_module(
        {
            "libraries": {"type": "list", "elements": "str", "default": []},
            "trial": {"type": "bool", "default": False},
            "url": {"type": "str"},
            "slow": {"type": "bool", "default": False},
            "report": {"type": "path"},
        },
        lambda module: read_wanted(module.params),
        check_vcenter,
        describe=lambda _params: None,
        secrets=lambda params: credentials_in(params.get("url")),
        logs_in=False,
        clock=clock,
        supports_check_mode=True,
    )


if __name__ == "__main__":
    main()
