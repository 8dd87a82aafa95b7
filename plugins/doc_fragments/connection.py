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
      - If it is left out, the task uses the environment variable E(VMWARE_HOST). One of the two is required. An empty
        variable counts as one that is not set. This holds for each variable that an option falls back to.
      - If E(VMWARE_HOST) or E(VMWARE_ALLOWED_HOSTS) is set, the task sends a login of the environment to these hosts
        only. If O(password) or O(session_token) comes from the environment and the task names another host or port, it
        fails before it sends anything.
      - E(VMWARE_ALLOWED_HOSTS) lists names, patterns, addresses and networks, separated by commas or blanks. In a
        pattern, such as V(vcenter-*.example.com), a star stands for any text without a dot. A network has the form
        V(10.0.0.0/24).
      - An entry without a port means the port E(VMWARE_PORT), or V(443). V(vcenter.example.com:8443) allows only that
        port, V(vcenter.example.com:*) any port, and V(*) any host.
      - C(allowed_hosts) in the section C(vsphere_content) of C(ansible.cfg) can hold the same list. It counts if the
        environment has no list. No variable of a play can set either.
    type: str
  username:
    description:
      - The vCenter user to log in as, such as V(administrator@vsphere.local).
      - If it is left out, the task uses the environment variable E(VMWARE_USER). Required unless O(session_token) is
        given.
    type: str
  password:
    description:
      - The password of O(username).
      - If it is left out, the task uses the environment variable E(VMWARE_PASSWORD). Required unless O(session_token)
        is given.
      - The task sends the value of the environment only to the hosts that O(hostname) describes. It sends its own value
        to any host.
    type: str
  port:
    description:
      - The HTTPS port of the vCenter.
      - If it is left out, the task uses the environment variable E(VMWARE_PORT), or V(443) without one.
    type: int
    default: 443
  validate_certs:
    description:
      - Whether the certificate of the vCenter must be valid, trusted and issued for O(hostname).
      - If it is left out, the task uses the environment variable E(VMWARE_VALIDATE_CERTS), or V(true) without one.
      - If the task or the environment gives O(ca_path), a V(false) of the environment does not count. Only the task
        itself can then set V(false).
      - The built-in C(VMware vCenter) credential of AWX and automation controller sets that variable to V(false) by
        default. Without O(ca_path), the task then warns that nothing is verified.
      - The task ignores other settings of the environment, such as E(REQUESTS_CA_BUNDLE).
    type: bool
    default: true
  ca_path:
    description:
      - A file of PEM certificates, or a directory that C(openssl rehash) prepared, to verify the vCenter against.
      - If it is left out, the task uses the environment variable E(VMWARE_CA_PATH). Without one, it uses the
        certificates that come with the Python library C(requests).
      - The path is on the host that runs the task.
    type: path
  session_token:
    description:
      - The token of an existing vCenter API session. The task uses it instead of logging in with O(username) and
        O(password).
      - The task does not log this session out at the end. When the session has expired, the task does not log in again,
        but fails with the error type V(UNAUTHENTICATED). Some vCenters end a token that has been idle for five minutes,
        and each one ends it some hours after its login.
      - If it is left out, the task uses the environment variable E(VMWARE_SESSION_TOKEN). Without one, it logs in.
      - If the task itself gives O(username) or O(password), and the other one comes from the task or the environment,
        it logs in with them. The variable does not count then.
      - The task sends the value of the environment only to the hosts that O(hostname) describes. It sends its own value
        to any host.
    type: str
  proxy_host:
    description:
      - The name or address of an HTTP proxy to reach the vCenter through.
      - If it is left out, the task uses the environment variable E(VMWARE_PROXY_HOST). Without one, it connects to the
        vCenter directly. So does a task with an empty text here. The task ignores E(HTTPS_PROXY).
      - If the task does not verify the vCenter, or verifies it with its own O(ca_path), a proxy could read the login. A
        login of the environment then requires that the proxy is allowed, too, as O(hostname) describes for hosts. A
        proxy that comes from the environment as a whole, with its port, is allowed.
    type: str
  proxy_port:
    description:
      - The port of the proxy. Required with O(proxy_host).
      - If it is left out, the task uses the environment variable E(VMWARE_PROXY_PORT).
    type: int
  proxy_protocol:
    description:
      - The protocol for the connection to the proxy itself.
    type: str
    choices: [http, https]
    default: https
  proxy_username:
    description:
      - The user to log in to the proxy as. If it is left out, the task sends no login to the proxy.
    type: str
  proxy_password:
    description:
      - The password of O(proxy_username).
    type: str
  request_timeout:
    description:
      - How many seconds a single HTTP exchange may go without progress before the task fails.
      - It does not end a long upload while bytes move.
      - An exchange as a whole may take ten times as long. The data of a file has no such limit.
    type: int
    default: 60
  api_dialect:
    description:
      - The REST dialect of vCenter. V(api) is that of vCenter 7.0 update 2 and later, V(rest) the older one.
      - V(auto) finds out at login, without an extra request on a vCenter that speaks V(api).
    type: str
    choices: [auto, api, rest]
    default: auto
requirements:
  - requests >= 2.28
  - urllib3 >= 1.26.9
"""
