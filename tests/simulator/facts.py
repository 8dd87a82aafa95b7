# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What we know about vCenter, where from, and how sure we are: the reasons for what the simulator does.

A behaviour of the simulator names its facts with ``@follows("id")``, a test with ``pytest.mark.fact("id")``, and a
world, which tries the answers to an open question, with its field ``fact``. A test fails for a fact that none of these
names. ``python -m tools.facts`` writes the page of the documentation from this table.

A fact is one sentence and stands once. Whoever sees a vCenter do something else corrects it here first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Callable, TypeVar

Following = TypeVar("Following", bound=Callable[..., Any])


class Strength(Enum):
    """How sure a fact is, from the surest on."""

    OBSERVED = "observed"
    TESTED = "tested"
    DOCUMENTED = "documented"
    CLAIMED = "claimed"
    UNKNOWN = "unknown"


MEANINGS: Mapping[Strength, str] = {
    Strength.OBSERVED: "Somebody saw a vCenter do it, and published what it sent.",
    Strength.TESTED: "Code relies on it that its authors run against vCenters.",
    Strength.DOCUMENTED: "VMware's documentation or the description of the API says so.",
    Strength.CLAIMED: "Somebody says so. We have not seen it, and found nobody who has.",
    Strength.UNKNOWN: "No source says it. The simulator can do either.",
}

SUBJECTS: Mapping[str, str] = {
    "login": "Logins",
    "privileges": "Privileges",
    "wire": "Requests and answers",
    "sessions": "Update and download sessions",
    "completion": "Completing a session",
    "files": "Files that are pushed",
    "preview": "Previews, certificates and warnings",
    "pull": "Files that vCenter fetches",
    "downloads": "Files that are downloaded",
    "items": "Libraries and items",
}


@dataclass(frozen=True)
class Fact:
    id: str
    subject: str
    says: str
    source: str
    versions: str
    strength: Strength


_OBSERVED, _TESTED, _DOCUMENTED = Strength.OBSERVED, Strength.TESTED, Strength.DOCUMENTED
_CLAIMED, _UNKNOWN = Strength.CLAIMED, Strength.UNKNOWN

API_8 = "description of the API 8.0.2"
API_BOTH = "descriptions of the API 7.0.3 and 8.0.2"
BINDINGS = "Python bindings 9.1"
GUIDE = "vSphere Automation programming guide"
SAMPLES = "vmware/vsphere-automation-sdk-python, samples/vsphere/contentlibrary"
SDK_JAVA = "vmware/vsphere-automation-sdk-java#78"
VMWARE_VMWARE = "ansible-collections/vmware.vmware, import modules and their tests on a vCenter"
VMWARE_REST = "ansible-collections/vmware.vmware_rest, recorded answers"
GOVMOMI = "vmware/govmomi, vapi/library"
NOBODY = "no source found"

_FACTS = (
    # -- logins
    Fact(
        "two-dialects",
        "login",
        "The API has two dialects, `/api` and `/rest`, which differ in paths, envelopes and statuses.",
        API_BOTH,
        "`/api` from 7.0 U2, `/rest` since 6.5",
        _DOCUMENTED,
    ),
    Fact(
        "rest-still-serves-9",
        "login",
        "`/rest` still serves the sessions of a library, though it is deprecated.",
        f"{GOVMOMI}, which uses nothing else",
        "9.0",
        _TESTED,
    ),
    Fact(
        "old-api-session",
        "login",
        "What a vCenter without `/api` answers to a login there.",
        NOBODY,
        "6.7 to 7.0 U1",
        _UNKNOWN,
    ),
    Fact(
        "login-limit",
        "login",
        "One login too many is refused with the status 503 and failedToLoginMaxUserSessionCountReached.",
        "vmware-tanzu/tanzu-cli#749, kubernetes-sigs/cluster-api-provider-vsphere#1818",
        "7.0 and later",
        _OBSERVED,
    ),
    Fact(
        "login-limit-by-version",
        "login",
        "Up to 8.0 U2 each user may have 550 logins at the API; from 8.0 U3 on all logins share one limit of 3000.",
        "KB 375546, vmware/packer-plugin-vsphere#272",
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "token-idle-time",
        "login",
        "How long a token may be idle: sources say 5, 30, 60 and, from 8.0 U3 on, 120 minutes.",
        "evoila/meho#2067, vmware/packer-plugin-vsphere#272, KB 437427",
        "differs by version and setting",
        _CLAIMED,
    ),
    Fact(
        "token-ends-absolutely",
        "login",
        "A token also ends at a time that vCenter sets when it is made, however busy it is.",
        "developer.broadcom.com, cis/session",
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "upload-keeps-no-login",
        "login",
        "A long upload does not keep the login: after hours, the next request was refused.",
        "reports of users of other clients",
        "all",
        _OBSERVED,
    ),
    Fact(
        "authentication-required-id",
        "login",
        "The refusal of a request without a login has the id vapi.method.authentication.required on 6.x, and"
        " com.vmware.vapi.endpoint.method.authentication.required later.",
        "vmware/terraform-provider-vsphere#756, developer.broadcom.com, cis/session",
        "6.7; 7.0 and later",
        _OBSERVED,
    ),
    Fact(
        "challenge-in-refused-login",
        "login",
        "From 7.0 on the refusal of a request without a login has a `challenge`.",
        "developer.broadcom.com, cis/session",
        "7.0 and later",
        _DOCUMENTED,
    ),
    Fact(
        "login-sets-a-cookie",
        "login",
        "The answer to a login on `/rest` sets the cookie vmware-api-session-id.",
        "vmware/vsphere-automation-sdk-ruby#47",
        "6.0",
        _OBSERVED,
    ),
    Fact(
        "expired-certificate-of-vcenter",
        "login",
        "An expired certificate of the vCenter itself made imports, and nothing else, end in UNAUTHORIZED.",
        "vmware/packer-plugin-vsphere#155",
        "7.0",
        _OBSERVED,
    ),
    # -- privileges
    Fact(
        "list-needs-a-privilege",
        "privileges",
        "To list sessions and to create one needs ContentLibrary.UpdateSession, or .DownloadSession; what is done with"
        " a session whose identifier is known needs no privilege.",
        API_8,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "permissions-are-global",
        "privileges",
        "Privileges of the content library count as global permissions: a role on the vCenter object alone does not"
        " give them.",
        "vmware/packer-plugin-vsphere#155",
        "7.0",
        _OBSERVED,
    ),
    Fact(
        "storage-sources-need-a-privilege",
        "privileges",
        "A file whose source is on a datastore needs ContentLibrary.ReadStorage.",
        API_8,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "direct-needs-a-privilege-at-creation",
        "privileges",
        "A file is prepared for DIRECT only if the user had ContentLibrary.ReadStorage when the session was created.",
        API_8,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "empty-session-without-a-privilege",
        "privileges",
        "A user without the privilege got an empty identifier from a creation, and NOT_FOUND from the next request.",
        "reports of users of other clients",
        "7.0",
        _OBSERVED,
    ),
    # -- requests and answers
    Fact(
        "unknown-operation-is-json",
        "wire",
        "An operation that vCenter does not know is answered with NOT_FOUND in JSON, with the id"
        " com.vmware.vapi.rest.operationsForUrlNotFound.",
        "vmware-archive/vmware-openapi-generator#72",
        "7.0.3",
        _OBSERVED,
    ),
    Fact(
        "not-every-answer-is-json",
        "wire",
        "A proxy in front of vCenter may answer in plain text, with a page of HTML or without a body.",
        "vmware/govmomi#3319, kubernetes-sigs/cluster-api-provider-vsphere#1818",
        "all",
        _OBSERVED,
    ),
    Fact(
        "refusals-close-the-connection",
        "wire",
        "The answer with the status 400 came with `Connection: close` and the headers of Envoy.",
        "vmware/govmomi#3319",
        "7.0 and 8.0",
        _OBSERVED,
    ),
    Fact(
        "busy-by-dialect",
        "wire",
        "RESOURCE_BUSY comes with the status 500 on `/api`, and with 400 on `/rest`.",
        API_BOTH,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "wrong-state-is-400",
        "wire",
        "NOT_ALLOWED_IN_CURRENT_STATE and ALREADY_EXISTS came with the status 400 on `/rest`.",
        "vmware/govmomi#2958, vmware/govmomi#3319",
        "7.0 and 8.0",
        _OBSERVED,
    ),
    Fact(
        "rest-error-type",
        "wire",
        "The body of an error on `/rest` repeats its type as `error_type` inside `value`, but not on 6.x.",
        "vmware/govmomi#2958, vmware/govmomi#3319, vmware/terraform-provider-vsphere#756",
        "7.0 and later",
        _OBSERVED,
    ),
    Fact(
        "rest-maps-are-lists",
        "wire",
        "`/rest` writes a map as a list of objects with `key` and `value`.",
        API_BOTH,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "rest-empty-list",
        "wire",
        "An empty list on `/rest` may come as `[]`, as null, or not at all.",
        GOVMOMI,
        "differs by version",
        _TESTED,
    ),
    Fact(
        "api-refuses-unknown-queries",
        "wire",
        "`/api` refuses names in the query that `/rest` takes, such as those with the prefix `filter.`.",
        "evoila/meho#2298",
        "8.0",
        _OBSERVED,
    ),
    Fact(
        "client-token-in-query-or-header",
        "wire",
        "The client token of a creation on `/api` stands in the query up to 8.x, in the header Client-Token on 9.x.",
        f"{API_BOTH}, {BINDINGS}",
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "messages-may-be-localized",
        "wire",
        "A message may have named `params` beside `args`, and a text in `localized`, which outranks `default_message`.",
        API_BOTH,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "urls-carry-the-primary-name",
        "wire",
        "URLs that vCenter makes carry its primary name and the port, by whatever name the client came.",
        f"{VMWARE_REST} (publish_url)",
        "7.0 and 8.0",
        _OBSERVED,
    ),
    # -- sessions
    Fact(
        "session-ids-are-opaque",
        "sessions",
        "The identifier of a session is opaque. Older ones have two parts with a colon between them, newer ones are a"
        " single UUID.",
        "vSphere 6.7 documentation of the API endpoint, ansible-collections/community.vmware#1154",
        "two parts on 6.7; one UUID on 7.0",
        _OBSERVED,
    ),
    Fact(
        "lists-are-the-callers",
        "sessions",
        "Lists of sessions name only those that the calling user created.",
        API_BOTH,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "session-without-id",
        "sessions",
        "The answer about a session lacks its `id` on some versions.",
        API_BOTH,
        "some",
        _DOCUMENTED,
    ),
    Fact(
        "one-active-session",
        "sessions",
        "An item has at most one ACTIVE update session: another creation is refused with RESOURCE_BUSY.",
        API_BOTH,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "two-creations-text",
        "sessions",
        "What the text of that refusal says, and whether it names the other session.",
        NOBODY,
        "all",
        _UNKNOWN,
    ),
    Fact(
        "session-names-its-content-version",
        "sessions",
        "A session has the `content_version` that its item had when the session was created.",
        API_BOTH,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "no-session-for-subscribed-items",
        "sessions",
        "An update session on an item of a subscribed library is refused with INVALID_ELEMENT_TYPE.",
        API_BOTH,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "client-token-is-idempotent",
        "sessions",
        "A creation that is sent again with the same client token names the same session.",
        API_BOTH,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "client-token-memory",
        "sessions",
        "How long vCenter remembers a client token: until its session is deleted, for a time, or for good.",
        NOBODY,
        "all",
        _UNKNOWN,
    ),
    Fact(
        "patch-changes-warnings-only",
        "sessions",
        "A change of a session sets `warning_behavior` and nothing else. To mark the preview's warnings as ignored is"
        " answered with success and changes nothing.",
        f"{API_8}, reports of users of other clients",
        "7.0 and later",
        _OBSERVED,
    ),
    Fact(
        "changes-need-an-active-session",
        "sessions",
        "To change, complete, cancel, fail or extend a session, it must be ACTIVE.",
        API_BOTH,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "active-session-is-not-deleted",
        "sessions",
        "An ACTIVE update session cannot be deleted before it is canceled; a download session can.",
        API_BOTH,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "sessions-expire",
        "sessions",
        "A session without activity expires, by default after five minutes. The time is a setting of the service that"
        " the API does not show.",
        API_8,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "ended-sessions-vanish",
        "sessions",
        "vCenter deletes sessions that have ended, or expired, after a while.",
        API_8,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "reading-extends",
        "sessions",
        "Whether reading a session or its files extends it.",
        f"{VMWARE_VMWARE}: they read each second for up to twenty minutes, which only hints at it",
        "all",
        _UNKNOWN,
    ),
    Fact(
        "progress-grows",
        "sessions",
        "The `client_progress` of a keep-alive should be greater than the current one.",
        API_8,
        "all",
        _DOCUMENTED,
    ),
    # -- completion
    Fact(
        "complete-answers-when-updated",
        "completion",
        "Where all files were pushed, vCenter answers a completion when the item is updated, and the session is DONE.",
        f"{API_8}, {SAMPLES}, {VMWARE_VMWARE}",
        "all",
        _TESTED,
    ),
    Fact(
        "slow-storage-outlasts-clients",
        "completion",
        "A call that writes to slow storage is answered after minutes; a client that gave up before was not told.",
        "evoila/meho#3176, for a deployment",
        "8.0 and 9.0",
        _OBSERVED,
    ),
    Fact(
        "completion-answer",
        "completion",
        "Whether every vCenter answers so late, or some answer a completion at once and update the item afterwards.",
        NOBODY,
        "all",
        _UNKNOWN,
    ),
    Fact(
        "complete-with-pull-answers-at-once",
        "completion",
        "Where vCenter fetches files, it answers a completion at once, and the session stays ACTIVE until it has them.",
        API_8,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "meanwhile",
        "completion",
        "What another completion, a change, a cancellation or a deletion gets while vCenter completes a session.",
        NOBODY,
        "all",
        _UNKNOWN,
    ),
    Fact(
        "refused-completion-keeps-the-session",
        "completion",
        "A completion that is refused leaves the session as it was: files can be added, and it can be asked for again.",
        f"{API_8}, {GOVMOMI}",
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "completion-needs-received-files",
        "completion",
        "A completion is refused with update_session_file_not_received while a pushed file has not been received.",
        "ansible-collections/community.vmware#1154",
        "7.0",
        _OBSERVED,
    ),
    Fact(
        "missing-and-invalid-are-two-arguments",
        "completion",
        "The refusal session_has_missing_or_invalid_files has two arguments, the missing files and the invalid ones.",
        "ansible-collections/vmware.vmware#257",
        "8.0",
        _OBSERVED,
    ),
    Fact(
        "unadded-reference-is-invalid",
        "completion",
        "A referenced file that nobody added was reported as invalid, and not as missing.",
        "ansible-collections/vmware.vmware#257",
        "8.0",
        _OBSERVED,
    ),
    Fact(
        "warning-fails-the-session",
        "completion",
        "A warning that is not ignored fails the session when it is completed.",
        API_8,
        "7.0 and later",
        _DOCUMENTED,
    ),
    Fact(
        "answer-to-an-unignored-warning",
        "completion",
        "Whether that completion itself is refused, or only the session goes to ERROR.",
        NOBODY,
        "7.0 and later",
        _UNKNOWN,
    ),
    Fact(
        "error-reason-has-a-path",
        "completion",
        "The reason why a session failed names the datastore's path with a doubled slash and `?serverId=`.",
        "siderolabs/talos#7651, vmware/govmomi#3319",
        "7.0 and 8.0",
        _OBSERVED,
    ),
    # -- files that are pushed
    Fact(
        "answered-put-may-be-completed",
        "files",
        "Clients complete a session right after the answer to their last PUT, and vCenter takes that.",
        f"{GOVMOMI}, {VMWARE_VMWARE}, {SAMPLES}",
        "7.0 and later",
        _TESTED,
    ),
    Fact(
        "answered-put-is-not-received",
        "files",
        "On some storage a file is WAITING, TRANSFERRING or VALIDATING for a while after its PUT was answered.",
        "reports of users of other clients",
        "some",
        _OBSERVED,
    ),
    Fact(
        "file-stays-waiting",
        "files",
        "A file whose PUT was answered with success stayed WAITING for good, without an error of the session.",
        "ansible-collections/community.vmware#1154",
        "7.0",
        _OBSERVED,
    ),
    Fact(
        "transfer-fails-after-its-answer",
        "files",
        "A transfer can fail after its PUT was answered; the session then goes to ERROR by itself.",
        "siderolabs/talos#7651, vmware/govmomi#3319",
        "7.0 and 8.0",
        _OBSERVED,
    ),
    Fact(
        "answer-of-a-put",
        "files",
        "Which status, headers and body the answer to a PUT has.",
        NOBODY,
        "all",
        _UNKNOWN,
    ),
    Fact(
        "post-uploads-as-well",
        "files",
        "The upload address takes POST as well as PUT.",
        VMWARE_VMWARE,
        "8.0",
        _TESTED,
    ),
    Fact(
        "uploads-need-no-token",
        "files",
        "The upload address needs no token and no special media type.",
        f"{SAMPLES}, {VMWARE_VMWARE}, {GOVMOMI}",
        "all",
        _TESTED,
    ),
    Fact(
        "size-and-checksum-when-ready",
        "files",
        "The `size` of a session's file, and its `checksum_info`, are those of the received file: they are absent until"
        " it is READY.",
        API_8,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "ready-and-then-more",
        "files",
        "Whether a file that is READY changes once more: gets its checksum or its size later, or is checked again.",
        NOBODY,
        "all",
        _UNKNOWN,
    ),
    Fact(
        "validate-needs-received-files",
        "files",
        "To validate a session whose pushed files have not been received is refused.",
        API_8,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "declared-checksum-is-verified",
        "files",
        "vCenter verifies the checksum that a file was added with; an OVA cannot have one.",
        API_8,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "manifest-before-descriptor",
        "files",
        "A manifest or a certificate that is added after the descriptor is refused.",
        API_8,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "other-files-in-any-order",
        "files",
        "Descriptor, disks and other files may be added in any order, and a manifest is not needed.",
        f"{SAMPLES}, {VMWARE_VMWARE}",
        "all",
        _TESTED,
    ),
    Fact(
        "descriptor-creates-entries",
        "files",
        "Once a descriptor has arrived, vCenter knows which files are to come, and may create entries for them.",
        API_8,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "references-must-be-there",
        "files",
        "Every file that the descriptor references must be there when a session is completed, an .nvram, too.",
        "ansible-collections/vmware.vmware#257",
        "8.0",
        _OBSERVED,
    ),
    Fact(
        "ova-is-unpacked",
        "files",
        "vCenter unpacks an OVA: the item then holds its members.",
        API_8,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "unreferenced-ova-members",
        "files",
        "What becomes of members of an OVA that its descriptor does not reference.",
        NOBODY,
        "all",
        _UNKNOWN,
    ),
    Fact(
        "manifest-is-not-stored",
        "files",
        "Manifest, certificate and OVA are not among the item's files afterwards; `keep_in_storage` says so.",
        API_8,
        "all",
        _DOCUMENTED,
    ),
    # -- preview
    Fact(
        "preview-while-active",
        "preview",
        "A session has a preview only while it is ACTIVE: UNAVAILABLE without metadata, PREPARING while that arrives,"
        " then AVAILABLE.",
        API_8,
        "7.0 and later",
        _DOCUMENTED,
    ),
    Fact(
        "ova-preview-when-whole",
        "preview",
        "The preview of an OVA is AVAILABLE only when all of it has arrived; VMware's sample waits up to five minutes.",
        SAMPLES,
        "7.0 and later",
        _TESTED,
    ),
    Fact(
        "ova-preview-unavailable",
        "preview",
        "Whether the preview of an OVA stays UNAVAILABLE instead of PREPARING while vCenter reads it.",
        NOBODY,
        "7.0 and later",
        _UNKNOWN,
    ),
    Fact(
        "iso-preview",
        "preview",
        "The session of an ISO has a preview, without warnings.",
        f"{VMWARE_VMWARE}, which read it without a guard",
        "8.0",
        _TESTED,
    ),
    Fact(
        "iso-preview-state",
        "preview",
        "Whether the session of an ISO has a preview on every version, and in which state.",
        NOBODY,
        "all",
        _UNKNOWN,
    ),
    Fact(
        "self-signed-raises-two-warnings",
        "preview",
        "A self-signed certificate raises SELF_SIGNED_CERTIFICATE and UNTRUSTED_CERTIFICATE.",
        SDK_JAVA,
        "6.7",
        _OBSERVED,
    ),
    Fact(
        "warnings-are-bare",
        "preview",
        "The message of a warning has an id such as com.vmware.vdcs.vsphere-cs-lib.CERTIFICATE_SELF_SIGNED, no"
        " arguments, and a short text that does not name the certificate.",
        SDK_JAVA,
        "6.7",
        _OBSERVED,
    ),
    Fact(
        "java-style-names",
        "preview",
        "The names of a certificate are written as Java does, with a comma and a blank: `CN=signer, O=Example, C=US`.",
        SDK_JAVA,
        "6.7",
        _OBSERVED,
    ),
    Fact(
        "chain-is-base64",
        "preview",
        "`cert_chain` holds certificates in base64, without a word of the lines of PEM.",
        API_8,
        "7.0.3 and later",
        _DOCUMENTED,
    ),
    Fact(
        "x509-form",
        "preview",
        "Whether `x509` of a certificate has the first and last line of PEM.",
        NOBODY,
        "all",
        _UNKNOWN,
    ),
    Fact(
        "verification-statuses",
        "preview",
        "The verification of an item may also be INTERNAL or VERIFICATION_IN_PROGRESS.",
        "vmware/govmomi#3048, description of the API 8.0.2",
        "8.0",
        _OBSERVED,
    ),
    # -- pull
    Fact(
        "pin-is-sha1-before-9",
        "pull",
        "The thumbprint that pins a source is SHA-1 of the certificate before 9.0.",
        f"{API_BOTH}, vmware/govmomi#1535, {VMWARE_VMWARE}",
        "6.7 to 8.0",
        _TESTED,
    ),
    Fact(
        "pin-on-9",
        "pull",
        "Which hash a thumbprint has on 9.0: its bindings say SHA-256, a report says SHA-1.",
        f"{BINDINGS}, evoila/meho#3574",
        "9.0",
        _UNKNOWN,
    ),
    Fact(
        "pin-has-colons",
        "pull",
        "Other clients send the thumbprint in capitals with colons.",
        f"vmware/govmomi#1535, {VMWARE_VMWARE}",
        "all",
        _TESTED,
    ),
    Fact(
        "certificate-as-pin",
        "pull",
        "From 9.0 on a source can be pinned by its certificate, as PEM.",
        f"{BINDINGS}, vmware/govmomi#3420",
        "9.0",
        _TESTED,
    ),
    Fact(
        "probe-exists",
        "pull",
        "vCenter can probe a source, by an operation of `/rest` that no description has.",
        GOVMOMI,
        "7.0 and later",
        _TESTED,
    ),
    Fact(
        "probe-answers-certificate",
        "pull",
        "From 9.0 on the probe answers `ssl_certificate`.",
        "vmware/govmomi#3420",
        "9.0",
        _TESTED,
    ),
    Fact(
        "untrusted-source-hangs",
        "pull",
        "A fetch from an https source that is neither trusted nor pinned stops at 1 %, without an error.",
        "vmware/terraform-provider-vsphere#1558, vmware/terraform-provider-vsphere#1977",
        "7.0.3 and 8.0.1",
        _OBSERVED,
    ),
    Fact(
        "untrusted-source-is-refused-on-9",
        "pull",
        'Such a source is refused with "Server not trusted".',
        "evoila/meho#3574",
        "9.0",
        _CLAIMED,
    ),
    Fact(
        "pulled-descriptor-brings-the-package",
        "pull",
        "When vCenter fetches a descriptor, it fetches all files of the package itself.",
        GUIDE,
        "6.7 and later",
        _DOCUMENTED,
    ),
    Fact(
        "ova-from-url",
        "pull",
        "The procedure for a package from a URL speaks of OVF on 6.7, and of OVF and OVA on 8.0.",
        GUIDE,
        "6.7; 8.0",
        _DOCUMENTED,
    ),
    Fact(
        "pull-stays-active",
        "pull",
        "A session whose files vCenter has fetched stays ACTIVE until somebody completes it.",
        "vmware/terraform-provider-vsphere#2369",
        "all",
        _OBSERVED,
    ),
    Fact(
        "failed-pull-text",
        "pull",
        'A fetch that failed says "The import of library item … has failed. Error transferring file …".',
        "aws/eks-anywhere#1319",
        "7.0",
        _OBSERVED,
    ),
    Fact(
        "datastore-folder-is-internal-error",
        "pull",
        "A `ds://` source that is a folder is INTERNAL_SERVER_ERROR, with a Java class as its only argument.",
        "ansible-collections/vmware.vmware#282",
        "8.0",
        _OBSERVED,
    ),
    Fact(
        "own-source-is-moved",
        "pull",
        "A source inside the folder of the library's own storage is moved, and not copied.",
        API_8,
        "all",
        _DOCUMENTED,
    ),
    # -- downloads
    Fact(
        "prepare-then-get",
        "downloads",
        "A file is prepared, read until it is PREPARED, and then fetched from its download address.",
        f"{API_BOTH}, {GOVMOMI}",
        "all",
        _TESTED,
    ),
    Fact(
        "download-checksum-when-fetched",
        "downloads",
        "The checksum of a download's file is there only when all of it has been fetched.",
        API_8,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "download-size-late",
        "downloads",
        "The size of a download's file may be unset until it is prepared.",
        API_8,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "range-of-downloads",
        "downloads",
        "Whether the download address honours Range.",
        NOBODY,
        "all",
        _UNKNOWN,
    ),
    Fact(
        "download-address-after-its-session",
        "downloads",
        "Whether the download address outlives its session.",
        NOBODY,
        "all",
        _UNKNOWN,
    ),
    # -- items
    Fact(
        "uncached-has-size-0",
        "items",
        "An item, or a file of it, that is not cached has the size 0.",
        API_8,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "disk-size-is-storage",
        "items",
        "The size of an item's file is the storage that it uses, which for a disk need not be its bytes.",
        f"{API_8}, reports of users of other clients",
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "no-item-for-subscribed-libraries",
        "items",
        "An item for a subscribed library is refused with INVALID_ELEMENT_TYPE.",
        BINDINGS,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "item-version-stays",
        "items",
        "The `version` of an item does not move with its content: after its first file, an ISO has version 1 and"
        " content_version 2.",
        f"{VMWARE_VMWARE}, {API_8}",
        "8.0",
        _OBSERVED,
    ),
    Fact(
        "item-modified-with-content",
        "items",
        "The `last_modified_time` of an item moves with its properties and with its content.",
        API_8,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "item-file-sha1",
        "items",
        "The files of an item have a SHA-1 checksum, and after the first upload the version 1.",
        VMWARE_VMWARE,
        "8.0",
        _OBSERVED,
    ),
    Fact(
        "already-exists-text",
        "items",
        'The refusal of a second item of one name says "Operation is not supported since a library item with the name …'
        ' exists in the library …".',
        "vmware/govmomi#2958",
        "7.0",
        _OBSERVED,
    ),
    Fact(
        "failed-import-leaves-an-item",
        "items",
        "An import that failed leaves the item that was made for it, with 0 bytes.",
        "reports of users of other clients",
        "all",
        _OBSERVED,
    ),
    Fact(
        "vm-template-takes-no-session",
        "items",
        "An update session on a VM template is refused with the id update_session_unsupported, as it contains a virtual"
        " machine template.",
        "hashicorp/packer#12622",
        "all",
        _OBSERVED,
    ),
    Fact(
        "backing-gone",
        "items",
        "A file for an item whose content was removed from its datastore is refused with RESOURCE_INACCESSIBLE.",
        API_8,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "deletion-in-use",
        "items",
        "The deletion of an item can be refused with RESOURCE_IN_USE.",
        GOVMOMI,
        "9.0",
        _TESTED,
    ),
    Fact(
        "deletion-is-later",
        "items",
        "The content of a deleted item is removed later, by a task that may fail.",
        API_8,
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "storage-names",
        "items",
        "Files of an item are stored as `NAME_UUID.EXTENSION` below `contentlib-LIBRARY/ITEM`, and addressed as"
        " `ds:///vmfs/volumes/ID//…?serverId=…`.",
        f"{VMWARE_VMWARE}, siderolabs/talos#7651",
        "7.0 and 8.0",
        _OBSERVED,
    ),
    Fact(
        "storage-of-an-item",
        "items",
        "The storage of an item lists each of its files once for each backing, with its URIs there, to users with the"
        " privilege ContentLibrary.ReadStorage only.",
        f"{API_8}, {BINDINGS}",
        "all",
        _DOCUMENTED,
    ),
    Fact(
        "other-storage",
        "items",
        "A library may be backed by OTHER storage with a URI instead of a datastore.",
        f"{VMWARE_REST}, {GOVMOMI}",
        "7.0 and later",
        _OBSERVED,
    ),
    Fact(
        "subscribed-items-have-own-ids",
        "items",
        "An item of a subscribed library has an identifier of its own, and names the publisher's as `source_id`.",
        GOVMOMI,
        "all",
        _TESTED,
    ),
    Fact(
        "item-name-limits",
        "items",
        "How long the name of an item may be, and with which characters.",
        NOBODY,
        "all",
        _UNKNOWN,
    ),
)

FACTS: Mapping[str, Fact] = {fact.id: fact for fact in _FACTS}
if len(FACTS) != len(_FACTS):
    raise ValueError("two facts have the same id")


def follows(*facts: str) -> Callable[[Following], Following]:
    """Say which facts are the reason for what a function does."""
    unknown = [fact for fact in facts if fact not in FACTS]
    if unknown:
        raise ValueError(f"no such fact: {', '.join(unknown)}")
    return lambda function: function
