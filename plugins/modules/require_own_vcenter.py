#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents the action plugin of the same name, which does all the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: require_own_vcenter
short_description: Require that each host of a play has its own vCenter
version_added: 0.1.0
author:
  - The vsphere.content authors (@vsphere-content)
description:
  - Fails if several hosts of the play would use one vCenter by accident. The roles of this collection run this task
    first, before they change anything.
  - It is an accident if the vCenter comes only from the environment variable E(VMWARE_HOST), or from the extra variable
    C(vcenter_connection), which replaces the one that the inventory gives each host.
  - The task checks all hosts of the play, including those that wait because of C(serial).
  - It accepts hosts whose vCenter comes from C(module_defaults), C(environment) or a variable of the play itself.
  - The task sends nothing to any vCenter. Of the connection options, only O(hostname) counts.
options:
  shared:
    description:
      - Whether one vCenter is meant for several hosts. The task then never fails.
      - The roles set it from the variable C(vcenter_shared).
    type: bool
    default: false
extends_documentation_fragment:
  - vsphere.content.attributes.info
  - vsphere.content.attributes.group
  - vsphere.content.connection
"""

EXAMPLES = r"""
- name: Require that no other host of this play would use the same vCenter by accident
  vsphere.content.require_own_vcenter:
"""

RETURN = r"""
vcenter:
  description:
    - The vCenter that this host uses, with its port if that is not 443. The roles name it in what they return and show.
    - None if only the host that runs the task knows it.
  returned: always
  type: str
  sample: vcenter.berlin.example.com
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
      description: Always V(INVALID_ARGUMENT) here.
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
