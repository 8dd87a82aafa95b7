# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of plugins/module_utils/_vcenter/connection_options.py, connection_spec."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  hostname:
    description:
      - The name or address of the vCenter, without a scheme or a port.
      - If it is left out, the environment variable E(VMWARE_HOST) is used. Needed in one of the two places.
      - Where E(VMWARE_HOST) or E(VMWARE_ALLOWED_HOSTS) is set, a login of the environment goes to these hosts only. A
        task that names another host or port for O(password) or O(session_token) of the environment is refused before
        anything is sent.
      - E(VMWARE_ALLOWED_HOSTS) lists names, patterns, addresses and networks, between commas or blanks. In a pattern,
        such as V(vcenter-*.example.com), a star stands for what has no dot. A network is written V(10.0.0.0/24).
      - An entry without a port means the port E(VMWARE_PORT), or V(443). V(vcenter.example.com:8443) is that port, and
        V(vcenter.example.com:*) any. V(*) is any host.
      - The same list can be C(allowed_hosts) in the section C(vsphere_content) of C(ansible.cfg). It counts where the
        environment has no list. No variable of a play sets either.
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
      - One of the environment goes only to the hosts that O(hostname) describes, one that the task gives to any.
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
      - One of the environment goes only to the hosts that O(hostname) describes, one that the task gives to any.
    type: str
  proxy_host:
    description:
      - The name or address of an HTTP proxy to reach the vCenter through.
      - If it is left out, the vCenter is reached directly, whatever E(HTTPS_PROXY) says.
      - Where the vCenter is not verified, or verified by O(ca_path) of the task, a proxy could read the login. It then
        counts as a host of its own for a login of the environment, as O(hostname) describes.
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
