# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of plugins/module_utils/_connection.py, connection_spec."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  hostname:
    description:
      - The name or address of the vCenter, without a scheme or a port.
      - If it is left out, the environment variable E(VMWARE_HOST) is used. Needed in one of the two places.
    type: str
  username:
    description:
      - The vCenter user to log in as, such as V(administrator@vsphere.local).
      - If it is left out, the environment variable E(VMWARE_USER) is used. Needed unless O(session_token) is given.
    type: str
  password:
    description:
      - The password of O(username).
      - If it is left out, the environment variable E(VMWARE_PASSWORD) is used. Needed unless O(session_token) is given.
    type: str
  port:
    description:
      - The HTTPS port of the vCenter.
      - If it is left out, the environment variable E(VMWARE_PORT) is used, and V(443) without one.
    type: int
    default: 443
  validate_certs:
    description:
      - Whether the certificate of the vCenter must be valid, trusted and issued for O(hostname).
      - If it is left out, the environment variable E(VMWARE_VALIDATE_CERTS) is used, and V(true) without one.
      - With O(ca_path), given or from the environment, a V(false) of the environment does not count. Only the task
        itself can then say V(false).
      - The built-in C(VMware vCenter) credential of AWX and automation controller sets that variable to V(false) unless
        told otherwise. Without O(ca_path), the task then warns that nothing is verified.
      - Other settings of the environment, such as E(REQUESTS_CA_BUNDLE), have no say.
    type: bool
    default: true
  ca_path:
    description:
      - A file of PEM certificates, or a directory that C(openssl rehash) prepared, to verify the vCenter against.
      - If it is left out, the environment variable E(VMWARE_CA_PATH) is used. Without one, the certificates that come
        with the Python library C(requests) decide.
      - The path is on the host that runs the task.
    type: path
  session_token:
    description:
      - The token of an existing vCenter API session, to be used instead of logging in with O(username) and O(password).
      - The session is not logged out at the end, and not replaced when it has expired; the task then fails with the
        error type V(UNAUTHENTICATED).
      - If it is left out, the environment variable E(VMWARE_SESSION_TOKEN) is used, and a login without one.
    type: str
  proxy_host:
    description:
      - The name or address of an HTTP proxy to reach the vCenter through.
      - If it is left out, the vCenter is reached directly, whatever E(HTTPS_PROXY) says.
    type: str
  proxy_port:
    description:
      - The port of the proxy. Needed with O(proxy_host).
    type: int
  proxy_protocol:
    description:
      - The protocol to speak with the proxy itself.
    type: str
    choices: [http, https]
    default: https
  proxy_username:
    description:
      - The user to log in to the proxy as. If it is left out, no login is sent to the proxy.
    type: str
  proxy_password:
    description:
      - The password of O(proxy_username).
    type: str
  request_timeout:
    description:
      - How many seconds a single HTTP exchange may go without progress before the task fails.
      - A long upload is not cut off by it, as long as bytes move.
      - All of an exchange may take ten times as long, except where it moves the data of a file.
    type: int
    default: 60
  api_dialect:
    description:
      - Which REST dialect of vCenter to speak. V(api) is that of vCenter 7.0 update 2 and later, V(rest) the older one.
      - V(auto) finds out at login, without an extra request on a vCenter that speaks V(api).
    type: str
    choices: [auto, api, rest]
    default: auto
requirements:
  - requests >= 2.28
  - urllib3 >= 1.26.9
"""
