# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exceptions of requests and urllib3 mean: why there is no answer, and whether the request left this host."""

from __future__ import annotations

import errno
import socket
import ssl
import urllib.parse
from dataclasses import dataclass

from .adapters import HAS_REQUESTS
from .errors import ConnectionFailed, ContentError, HostUnresolved, InvalidResponse, TimedOut, TlsUnverified

if HAS_REQUESTS:
    import requests
    import urllib3

# Only handshakes end with these. Source: the names of OpenSSL's errors.
HANDSHAKE_FAILURES = (
    "CERTIFICATE_VERIFY_FAILED",
    "HTTP_REQUEST",
    "NO_PROTOCOLS_AVAILABLE",
    "SSLV3_ALERT_HANDSHAKE_FAILURE",
    "TLSV1_ALERT_PROTOCOL_VERSION",
    "UNKNOWN_PROTOCOL",
    "UNSUPPORTED_PROTOCOL",
    "WRONG_VERSION_NUMBER",
)
# Only these say that an authority is not among the trusted ones. Source: X509_STORE_CTX_get_error(3) of OpenSSL.
UNKNOWN_AUTHORITY = (2, 18, 19, 20, 21)
NOT_YET_VALID, EXPIRED = 9, 10
OTHER_NAMES = (62, 64)
UNVERIFIED = "validate_certs: false switches the check off and is for tests only."
LATER = "See what became of it when the server answers again."


def origin_of(url: str) -> tuple[str | None, int]:
    """Host and port of an https URL. Raises ValueError for anything else."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError("no https URL")
    return parts.hostname, parts.port or 443


def place_of(url: str) -> str:
    return ":".join(str(part) for part in origin_of(url))


def _causes(error: BaseException) -> list[BaseException]:
    """An exception and those that it wraps, the innermost last."""
    causes = [error]
    while True:
        inner = getattr(error, "reason", None) or (error.args[0] if error.args else None)
        context = None if error.__suppress_context__ else error.__context__
        inner = inner if isinstance(inner, BaseException) else error.__cause__ or context
        if inner is None or any(inner is cause for cause in causes):
            return causes
        causes.append(inner)
        error = inner


def _root_cause(error: BaseException) -> BaseException:
    """The innermost exception: those that urllib3 and requests wrap around it do not say what went wrong."""
    return _causes(error)[-1]


def never_left(error: Exception) -> bool:
    """Whether a request surely did not reach its server: the name, the connection or TLS failed before.

    A connection that was cut does not count, as it may have been cut after the request.
    """
    root = _root_cause(error)
    # urllib3 before 2.0 compares the names in a certificate itself, and raises a mere ValueError for another name.
    if isinstance(error, requests.exceptions.SSLError) and isinstance(root, ValueError):
        return True
    if isinstance(root, ssl.SSLError):
        return (root.reason or "") in HANDSHAKE_FAILURES
    unreached = isinstance(error, requests.exceptions.ConnectTimeout) or isinstance(root, ConnectionRefusedError)
    return unreached or any(isinstance(cause, urllib3.exceptions.NewConnectionError) for cause in _causes(error))


def _plain_reason(error: BaseException) -> str:
    root = _root_cause(error)
    return getattr(root, "strerror", None) or str(root) or type(root).__name__


@dataclass(frozen=True)
class Silence:
    """How many seconds a connection may take, or a server may be silent; fewer after a signal (`is_hurried`)."""

    seconds: int
    is_hurried: bool

    @property
    def named(self) -> str:
        return f"{self.seconds} seconds ({'the task has to end' if self.is_hurried else 'request_timeout'})"


@dataclass(frozen=True)
class Way:
    """Where requests go: the place of the vCenter, the proxy, and what certificates are verified against."""

    vcenter: str
    proxy: str | None
    verify: str | bool


def translate(error: Exception, url: str, operation: str, *, silence: Silence, way: Way) -> ContentError:
    """An exception of requests or urllib3 as one of ours."""
    place = place_of(url)
    reason = _plain_reason(error)
    if isinstance(error, requests.exceptions.ProxyError):
        return _translate_proxy_error(error, reason, operation, way)
    if isinstance(error, requests.exceptions.SSLError):
        if "CERTIFICATE_VERIFY_FAILED" in str(error) or _names_differ(error):
            said = f"the certificate of {place} is not trusted: {reason}"
            return TlsUnverified(said, operation=operation, remedy=_certificate_remedy(error, place, way))
        if not isinstance(_root_cause(error), (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            remedy = _data_remedy(place, way)
            return ConnectionFailed(f"{place} is not a TLS server: {reason}", operation=operation, remedy=remedy)
        # Some Pythons raise this for a connection that is cut while they send.
        reason = "it was closed"
    if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)):
        return InvalidResponse(f"{url.split('?')[0]!r} is not a URL to send to", operation=operation)
    # The kernel may give up before request_timeout is over.
    gave_up = getattr(_root_cause(error), "errno", None) == errno.ETIMEDOUT
    if isinstance(error, requests.exceptions.ConnectTimeout) and not gave_up:
        reason = f"nothing answers within {silence.named}"
    elif not gave_up and (isinstance(error, requests.exceptions.ReadTimeout) or "timed out" in reason):
        later = LATER if silence.is_hurried else None
        return TimedOut(f"{place} was silent for {silence.named}", operation=operation, remedy=later)
    unresolved = place != way.vcenter and isinstance(_root_cause(error), socket.gaierror)
    kind = HostUnresolved if unresolved else ConnectionFailed
    return kind(f"no connection to {place}: {reason}", operation=operation, remedy=_data_remedy(place, way))


def _data_remedy(place: str, way: Way) -> str | None:
    """What helps if vCenter has named another place for data; None for the vCenter itself."""
    if place == way.vcenter:
        return None
    return (
        f"vCenter has named {place} for the data of files. The host that runs this task must resolve that name, and "
        "reach it."
    )


def _names_differ(error: BaseException) -> bool:
    """Whether the certificate is for another host. urllib3 before 2.0 compares the names itself."""
    return "doesn't match" in str(error) or getattr(_root_cause(error), "verify_code", 0) in OTHER_NAMES


def _certificate_remedy(error: BaseException, place: str, way: Way) -> str:
    """What helps against a certificate that was refused: for many reasons another authority does not."""
    code = getattr(_root_cause(error), "verify_code", 0)
    if _names_differ(error):
        if place == way.vcenter:
            way_out = "Set hostname to a name that the certificate is for."
        else:
            way_out = f"vCenter itself has named {place}: its certificate must be for that name, too."
    elif code == EXPIRED:
        way_out = "Have it, or its authority, renewed. Check the clock of the host that runs this task as well."
    elif code == NOT_YET_VALID:
        way_out = "Check the clocks of both hosts. ca_path does not help here."
    elif code not in UNKNOWN_AUTHORITY:
        way_out = "Have one issued that has no such fault. If its authority has it, that one must be replaced as well."
    elif isinstance(way.verify, str):
        way_out = (
            f"ca_path is {way.verify}, which does not hold the authority that signed it: add that one, and those "
            "between."
        )
    else:
        way_out = "Set ca_path to the certificate authority that signed it."
    return f"{way_out} {UNVERIFIED}"


def _translate_proxy_error(error: Exception, reason: str, operation: str, way: Way) -> ContentError:
    parts = urllib.parse.urlsplit(way.proxy or "")
    proxy = f"the proxy {parts.hostname}:{parts.port}"
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        if getattr(_root_cause(error), "verify_code", 0) in UNKNOWN_AUTHORITY:
            way_out = "Add the authority that signed it to the file of ca_path, or set"
        else:
            way_out = "Have it replaced by one that is valid for the name in proxy_host, or set"
        return TlsUnverified(
            f"the certificate of {proxy} is not trusted: {reason}",
            operation=operation,
            remedy=f"{way_out} proxy_protocol: http if the proxy itself is spoken to without TLS. {UNVERIFIED}",
        )
    remedy = None
    if isinstance(_root_cause(error), ssl.SSLError):
        remedy = "If the proxy itself does not use TLS, set proxy_protocol: http."
    return ConnectionFailed(f"{proxy} failed: {reason}", operation=operation, remedy=remedy)
