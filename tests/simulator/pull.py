# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""PULL: the server fetches the content of a file itself, and checks the certificate of the source."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .blobs import BlobWriter
from .descriptor import unpack
from .errors import CLS, message
from .facts import follows
from .seed import UserSeed
from .updates import UpdateFile, UpdateSession, check_source

if TYPE_CHECKING:
    from .store import Store

CONNECT_SECONDS = 10.0
FETCH_BLOCK = 1 << 18


class UntrustedError(Exception):
    """The source's certificate is neither pinned nor trusted."""


class NotPinnedError(Exception):
    """The source shows another certificate than the pinned one."""


class Puller:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._tasks: set[asyncio.Task[None]] = set()

    @follows("ova-from-url", "pull-stays-active")
    def start(self, session: UpdateSession, entry: UpdateFile) -> None:
        task = asyncio.get_running_loop().create_task(self._pull(session, entry))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _pull(self, session: UpdateSession, entry: UpdateFile) -> None:
        from aiohttp import ClientError

        endpoint = entry.source_endpoint or {}
        updates = self._store.updates
        uri = endpoint.get("uri", "")
        try:
            context = await self._trust(endpoint)
            await self._fetch(session, entry, uri, context)
        except UntrustedError:
            self._meet_untrusted(session, entry, uri)
        except NotPinnedError:
            text = "The server at {0} shows another certificate than the one that was given."
            updates.transfer_failed(
                session, entry, message(CLS + "http_request_error_peer_not_authenticated", text, uri)
            )
        except (OSError, ClientError, asyncio.TimeoutError) as error:
            text = "HTTP request error: {0}: {1}"
            reason = str(error) or type(error).__name__
            updates.transfer_failed(session, entry, message(CLS + "http_request_error", text, uri, reason))

    @follows("untrusted-source-hangs", "untrusted-source-is-refused-on-9")
    def _meet_untrusted(self, session: UpdateSession, entry: UpdateFile, uri: str) -> None:
        updates = self._store.updates
        if self._store.seed.untrusted_source == "refused":
            text = message(CLS + "http_request_error_peer_not_authenticated", "Server not trusted: {0}", uri)
            updates.transfer_failed(session, entry, text)
        else:
            # No error, but the transfer never gets beyond its first percent.
            updates.transferred(session, entry, max(1, (entry.size or 0) // 100))

    @follows("certificate-as-pin", "pin-is-sha1-before-9", "pin-on-9", "pin-has-colons")
    async def _trust(self, endpoint: Mapping[str, str]) -> ssl.SSLContext | None:
        """Check the certificate; returns the context to fetch with, None for plain HTTP."""
        parts = urlsplit(endpoint["uri"])
        if parts.scheme != "https":
            return None
        shown = await _peer_certificate(parts.hostname or "", parts.port or 443)
        if "ssl_certificate" in endpoint:
            if ssl.PEM_cert_to_DER_cert(endpoint["ssl_certificate"]) != shown:
                raise NotPinnedError()
            return _unverified()
        pinned = endpoint.get("ssl_certificate_thumbprint", "").replace(":", "").lower()
        if pinned:
            if pinned not in (hashlib.sha1(shown).hexdigest(), hashlib.sha256(shown).hexdigest()):
                raise NotPinnedError()
            return _unverified()
        context = self._verified(*self._store.seed.trusted_roots)
        try:
            await _handshake(parts.hostname or "", parts.port or 443, context)
        except ssl.SSLCertVerificationError:
            raise UntrustedError() from None
        return context

    def _verified(self, *pems: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        for pem in pems:
            context.load_verify_locations(cadata=pem)
        return context

    async def _fetch(self, session: UpdateSession, entry: UpdateFile, uri: str, context: ssl.SSLContext | None) -> None:
        import aiohttp  # a server that never pulls starts faster without the client half

        updates = self._store.updates
        updates.begin_transfer(session, entry)
        writer = BlobWriter(None, updates.digest_algorithms(session, entry))
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=30)
        trust = context if context is not None else True
        async with aiohttp.ClientSession(timeout=timeout) as client, client.get(uri, ssl=trust) as response:
            response.raise_for_status()
            async for piece in response.content.iter_chunked(FETCH_BLOCK):
                writer.write(piece)
                updates.transferred(session, entry, writer.size)
        blob = writer.finish()
        members, fault = unpack(entry.name, blob, self._store.seed.checksum_algorithm)
        if members is not None and not self._store.seed.ova_from_url:
            members, fault = None, "it can not be imported from a URL"
        updates.received(session, entry, blob, members, fault)

    @follows("probe-exists")
    async def probe(self, user: UserSeed, source: Mapping[str, str]) -> dict[str, Any]:
        """The result of a probe: whether the server reaches and trusts the source, and the thumbprint there."""
        from aiohttp import ClientError

        parts = urlsplit(source["uri"])
        if parts.scheme not in ("http", "https", "ds") or not (parts.hostname or parts.scheme == "ds"):
            return _probed("INVALID_URL", "invalid_url_format", source["uri"])
        endpoint = check_source(self._store.seed, user, source)
        if parts.scheme == "ds":
            known = endpoint["uri"] in self._store.updates.datastores
            return (
                _probed("SUCCESS")
                if known
                else _probed("RESOURCE_NOT_FOUND", "datastore_file_not_found", endpoint["uri"])
            )
        try:
            context = await self._trust(endpoint)
            await _request_head(endpoint["uri"], context)
            status = _probed("SUCCESS")
        except (UntrustedError, NotPinnedError, ssl.SSLCertVerificationError):
            status = _probed("CERTIFICATE_ERROR", "http_request_error_peer_not_authenticated", endpoint["uri"])
        except socket.gaierror:
            return _probed("HOST_NOT_FOUND", "http_request_error", endpoint["uri"])
        except asyncio.TimeoutError:
            return _probed("TIMED_OUT", "http_request_error", endpoint["uri"])
        except (OSError, ClientError, ValueError) as error:
            missing = getattr(error, "status", 0) == 404
            return _probed("RESOURCE_NOT_FOUND" if missing else "UNKNOWN_ERROR", "http_request_error", endpoint["uri"])
        if parts.scheme == "https":
            shown = await _peer_certificate(parts.hostname or "", parts.port or 443)
            status.update(self._identity(shown))
        return status

    @follows("probe-answers-certificate")
    def _identity(self, shown: bytes) -> dict[str, str]:
        """What the probe tells of the certificate of a source."""
        told = {}
        if self._store.seed.probe_answer != "certificate":
            algorithm = "sha256" if self._store.seed.thumbprint_algorithm == "SHA256" else "sha1"
            digest = hashlib.new(algorithm, shown).hexdigest().upper()
            told["ssl_thumbprint"] = ":".join(digest[index : index + 2] for index in range(0, len(digest), 2))
        if self._store.seed.probe_answer != "thumbprint":
            told["ssl_certificate"] = ssl.DER_cert_to_PEM_cert(shown)
        return told


def _probed(status: str, message_id: str = "", uri: str = "") -> dict[str, Any]:
    messages = [message(CLS + message_id, "The source {0} can not be used: {1}", uri, status)] if message_id else []
    return {"status": status, "error_messages": messages}


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _handshake(host: str, port: int, context: ssl.SSLContext) -> bytes:
    opening = asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    _reader, writer = await asyncio.wait_for(opening, CONNECT_SECONDS)
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return bytes(shown)


async def _peer_certificate(host: str, port: int) -> bytes:
    return await _handshake(host, port, _unverified())


async def _request_head(uri: str, context: ssl.SSLContext | None) -> None:
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=CONNECT_SECONDS)
    trust = context if context is not None else True
    async with aiohttp.ClientSession(timeout=timeout) as client, client.head(uri, ssl=trust) as response:
        response.raise_for_status()
