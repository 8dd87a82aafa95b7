# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mistakes in what is done when: waiting, order, reading back, cleaning up, trying again, logging in again.

Independent programs judge where they can: vcsim what our client makes of it, govc what our client leaves behind in the
simulator, the official bindings how the simulator behaves, and what it said that our client has to hand on.

Some mistakes our own unit tests must see alone. They show only where something goes wrong on the way, where a clock is
moved, where two are at work at once, or where a server has previews or checksums, and vcsim has neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.mutations.mistakes import Mistake, always, another, becomes, given, instead, never, swapped, without
from tests.mutations.mutation import Mutation, Suite, govc, sdk, unit, vcsim, worlds

#: Name, where it is, what is wrong there, and who sees it.
Row = tuple[str, str, Mistake, Suite]


def behaviour_mutations() -> Iterator[Mutation]:
    for side, rows in (
        ("client", JUDGED_BY_OTHERS),
        ("client", JUDGED_BY_US),
        ("client", AS_VCENTERS_ARE),
        ("simulator", SIMULATOR),
    ):
        for name, place, mistake, suite in rows:
            yield Mutation(name, side, "both", place, mistake, (suite,))


JUDGED_BY_OTHERS: tuple[Row, ...] = (
    (
        "polling: an answered PUT counts as a received file",
        "await_files",
        given("ready", "lambda files: True"),
        govc("slow_server"),
    ),
    (
        "polling: a completion is not waited for",
        "_await_end",
        always("wait"),
        govc("slow_server"),
    ),
    (
        "read-back: what the server made of warning_behavior is believed",
        "require_warning_behavior",
        never("ignored_warnings"),
        vcsim("server_does_not_know"),
    ),
    (
        "order: the certificate goes after the descriptor",
        "Role",
        swapped("CERTIFICATE", "DESCRIPTOR"),
        vcsim("servers_order"),
    ),
    (
        "clean-up: a session is deleted while it is ACTIVE",
        "withdraw",
        without("cancel"),
        govc("failed_task_made"),
    ),
    (
        "clean-up: a session that is canceled stays",
        "withdraw",
        without("delete"),
        govc("failed_task_made"),
    ),
    (
        "log in again: an expired login ends the task",
        "Connection._authenticated",
        another(401, 419),
        vcsim("login_that_ended"),
    ),
    (
        "purge: what is not wanted stays",
        "Wanted.superfluous",
        never("purge"),
        govc("we_purge"),
    ),
    (
        "validate: missing files are no reason not to complete",
        "_validate_and_ask",
        never("has_errors"),
        sdk("validate_names"),
    ),
)
JUDGED_BY_US: tuple[Row, ...] = (
    (
        "polling: the deadline does not move on with progress",
        "wait_for",
        never("seen"),
        unit("test_waiting", "deadline"),
    ),
    (
        "order: the preview is not awaited before the disks",
        "Upload._push_in_order",
        never("previewed"),
        unit("test_update_session_warnings", "before_the_first_disk"),
    ),
    (
        "logins: a refused password is sent again by the next task",
        "REFUSED_STATUSES",
        becomes("()"),
        unit("test_login_turns", "refused_password"),
    ),
    (
        "logins: a task that has waited for a login that failed sends another one",
        "LoginTurns.taken",
        never("waited", "way"),
        unit("test_login_turns", "goes_alone"),
    ),
    (
        "signer: a local certificate is anybody's",
        "require_signed_by",
        never("found"),
        unit("test_accepted_signer", "local_certificate_of_another_signer"),
    ),
    (
        "signer: the certificate in the preview is anybody's",
        "Acceptance._require_signer",
        instead("signer_in", "accepted"),
        unit("test_accepted_signer", "pulled_package_is_compared"),
    ),
    (
        "signer: without a certificate in the preview anybody passes",
        "Acceptance._require_signer",
        always("_has_sent_certificate_of"),
        unit("test_accepted_signer", "without_a_certificate_in_the_preview"),
    ),
    (
        "signer: nothing is compared again before the completion",
        "Acceptance.confirm",
        instead("require", "await_preview(self.updates, self.session_id, wait_timeout=1, clock=self.clock)"),
        unit("test_accepted_signer", "compared_again_before_the_completion"),
    ),
    (
        "retry: a read is not tried again",
        "Timing.request_tries",
        becomes("1"),
        unit("test_connection", "retry_after_is_honoured"),
    ),
    (
        "retry: a create is not tried again",
        "_Caller.create",
        given("repeatable", "False"),
        unit("test_update_session_options", "answer_is_lost"),
    ),
    (
        "retry: a bare 500 is tried again",
        "TRANSIENT_STATUSES",
        becomes("(429, 500, 502, 503, 504)"),
        unit("test_connection", "what_is_answered_is_not_tried_again"),
    ),
    (
        "retry: a broken upload is not sent again",
        "Timing.upload_tries",
        becomes("1"),
        unit("test_transfers", "second_try"),
    ),
    (
        "log in again: each thread does it for itself",
        "Connection._authenticated",
        always("_token"),
        unit("test_connection", "threads_that_meet"),
    ),
    (
        "checksums: what arrived changed is published",
        "Upload._compare",
        without("ChecksumMismatch"),
        unit("test_update_session_files", "content_that_arrives_changed"),
    ),
    (
        "checksums: what was fetched changed is put into place",
        "verify",
        without("ChecksumMismatch"),
        unit("test_download_session_dest", "checksum_that_does_not_fit"),
    ),
    (
        "keep-alive: a session expires under a long upload",
        "Hold.kept_alive",
        without("keep_alive"),
        unit("test_transfers", "outlives_session"),
    ),
    (
        "take over: a transfer that moves is nobody's",
        "_watch",
        another(True, False),
        unit("test_take_over", "transfer_that_moves"),
    ),
    (
        "new item: a failed task deletes it with what somebody has published to it",
        "NewItem._difference",
        never("files"),
        unit("test_new_item", "somebody_has_done"),
    ),
    (
        "new item: a failed task deletes it although its content has changed meanwhile",
        "NewItem._difference",
        never("content_version"),
        unit("test_new_item", "somebody_has_done"),
    ),
    (
        "update: what others have published since the item was read is not seen",
        "UpdateApplier._plan_again",
        always("knows_content"),
        unit("test_take_over", "given_up_has_no_say"),
    ),
    (
        "update: the files of a session are never listed again before its completion",
        "Upload.settle",
        always("says_all"),
        unit("test_update_session_files", "comes_later"),
    ),
    (
        "new item: it is deleted while another user publishes to it",
        "UpdateApplier._open",
        without("is_used"),
        unit("test_new_item", "session_of_another_user"),
    ),
    (
        "new item: it is created where create_item is false",
        "item_to_create",
        never("create_item"),
        unit("test_new_item", "may_not_be_created"),
    ),
    (
        "purge: the warning does not say that files stay",
        "Wanted.unnamed",
        never("known"),
        unit("test_purge", "does_not_name"),
    ),
)
AS_VCENTERS_ARE: tuple[Row, ...] = (
    (
        "remedies: what vCenter's message means does not count",
        "remedy_for",
        never("by_message"),
        unit("test_errors", "does_not_contradict"),
    ),
    (
        "remedies: what was not found was deleted",
        "_not_found",
        always("changes"),
        unit("test_errors", "does_not_contradict"),
    ),
    (
        "retry: a place that this host cannot resolve is asked for again",
        "translate",
        never("unresolved"),
        unit("test_errors", "cannot_resolve"),
    ),
    (
        "errors: the server's message of a failed file is lost",
        "Fallible.messages",
        never("error_message"),
        unit("test_errors", "after_its_request"),
    ),
    (
        "dialect: only a page that is not found says that there is no new one",
        "UNKNOWN_PATH",
        becomes("()"),
        unit("test_connection", "whatever_it_says"),
    ),
    (
        "dialect: an object in place of a token is a login that failed",
        "_knows_no_login",
        never("_is_object"),
        unit("test_connection", "whatever_it_says"),
    ),
    (
        "dialect: a redirect says nothing of the dialect",
        "is_unknown",
        never("Redirected"),
        unit("test_connection", "whatever_it_says"),
    ),
    (
        "take over: expiry is always a sign of life",
        "await_idle",
        instead("_reading_extends", "False"),
        unit("test_take_over", "same_abandoned_session"),
    ),
    (
        "take over: a session in which nothing moves is nobody's, although reading extends it",
        "await_idle",
        always("unsure"),
        unit("test_take_over", "may_be_alive"),
    ),
    (
        "privileges: a user who may not list sessions gets nothing",
        "own_ids",
        always("UNAUTHORIZED"),
        unit("test_errors", "may_only_read or may_not_fill"),
    ),
    (
        "privileges: in check mode a task fails where it would be refused",
        "UpdateFinder._require_listed",
        always("_check_mode"),
        unit("test_errors", "prediction_and_an_explanation"),
    ),
    (
        "after-work: a file that changes once it has arrived is another task's",
        "is_replaced",
        always("sized"),
        unit("test_update_session_files", "does_with_our_file_afterwards"),
    ),
    (
        "after-work: a checksum that comes later is not compared",
        "Upload.settle",
        without("_compare_late"),
        unit("test_update_session_files", "checksum_that_comes_later"),
    ),
    (
        "probe: the certificate that 9.0 answers is no thumbprint",
        "_presented",
        instead("PEM_cert_to_DER_cert", "ssl.PEM_cert_to_DER_cert('')"),
        unit("test_pull", "counts_as_its_thumbprint"),
    ),
    (
        "comparison: a size of 0 counts unless the server says that the file is not cached",
        "is_cached",
        instead("bool", "True"),
        unit("test_download_session_dest", "size_of_0_proves_nothing"),
    ),
    (
        "worlds: only the status 200 answers an upload",
        "Connection.stream",
        another(300, 201),
        worlds("put-answer and 204"),
    ),
    (
        "worlds: a certificate has the lines of PEM",
        "signer_in",
        instead("_fingerprint", "()"),
        unit("test_accepted_signer", "bare_certificate"),
    ),
    (
        "worlds: a session always has its identifier",
        "Sessions.get",
        instead("replace", "session"),
        unit("test_session_info", "leaves_the_id_out"),
    ),
    (
        "retention: what has changed since the list goes",
        "RetentionResource._delete",
        never("has_changed"),
        unit("test_retention", "between_the_list and described"),
    ),
    (
        "retention: what has become of those that stay is not looked at",
        "RetentionResource._loss",
        never("has_changed"),
        unit("test_retention", "between_the_list and stay and published"),
    ),
    (
        "retention: a session that began after the list is not seen",
        "RetentionResource._use",
        never("session"),
        unit("test_retention", "between_the_list and begins"),
    ),
    (
        "retention: check mode does not know of sessions",
        "RetentionResource._keep_active",
        never("entry", "outcome"),
        unit("test_retention", "active_session"),
    ),
    (
        "retention: an item of another library counts",
        "RetentionResource._read_items",
        always("library_id"),
        unit("test_retention", "ignores_the_filter"),
    ),
    (
        "retention: a library of an unknown type is a local one",
        "require_local",
        never("LOCAL"),
        unit("test_retention", "refused_before and mirror"),
    ),
    (
        "retention: as many go as there are",
        "RetentionResource.plan",
        never("at_most"),
        unit("test_retention", "refused_before and keep and at_most"),
    ),
    (
        "retention: what holds no files counts",
        "why_uncounted",
        never("files"),
        unit("test_retention", "what_goes and failed"),
    ),
    (
        "retention: templates of virtual machines count",
        "COUNTED_TYPES",
        becomes('("iso", "ovf", "vm-template")'),
        unit("test_retention", "what_goes and templates"),
    ),
    (
        "retention: of two that are as old as each other one goes",
        "judge",
        never("limit"),
        unit("test_retention", "what_goes and each"),
    ),
    (
        "retention: a number in a name is text",
        "natural",
        never("isdecimal"),
        unit("test_retention", "what_goes and numbers"),
    ),
    (
        "worlds: a client token is forgotten with its session",
        "UpdateApplier._plan_again",
        without("_client_token"),
        unit("test_open_questions", "come_back_by_its_client_token"),
    ),
    (
        "worlds: an UNAVAILABLE preview of an OVA will not come",
        "PENDING_PREVIEWS",
        becomes('("PREPARING",)'),
        unit("test_open_questions", "whatever_state_it_begins"),
    ),
    (
        "worlds: only a session whose files are shown to arrive may lack a preview",
        "keeps_silent",
        never("preview_info"),
        unit("test_transfers", "arrives_after_all and ISO"),
    ),
    (
        "worlds: the item has every member of an OVA",
        "WantedFile.may_be_dropped",
        never("is_referenced"),
        unit("test_ova", "may_be_kept_or_dropped"),
    ),
    (
        "worlds: vCenter refuses to cancel what it completes",
        "UpdateApplier._require_idle",
        never("isinstance"),
        unit("test_completion", "not_canceled_for_another_descriptor"),
    ),
    (
        "worlds: vCenter says of a session that it completes it",
        "UpdateApplier._require_idle",
        instead("isinstance", "is_completing(error)"),
        unit("test_completion", "not_canceled_for_another_descriptor"),
    ),
    (
        "worlds: a completion that is refused leaves the session ACTIVE",
        "_await_end_by_others",
        always("ACTIVE"),
        unit("test_open_questions", "told_when_the_session_has_failed"),
    ),
    (
        "worlds: a download goes on without its session",
        "Hold.kept_alive",
        without("keep_alive"),
        unit("test_download_session_transfer", "outlives_session"),
    ),
    (
        "worlds: a server sends the part that it was asked for",
        "_Receiver._place",
        without("_restart"),
        unit("test_download_session_transfer", "without_ranges"),
    ),
    (
        "worlds: every vCenter pins by SHA-1",
        "_advise",
        always(64),
        unit("test_pull", "names_the_other_kind"),
    ),
    (
        "certificates: some Pythons judge authorities more strictly",
        "SETS_FLAGS",
        becomes("False"),
        unit("test_connection", "older_authority"),
    ),
)
#: For each world of an open question the mistakes that assume one of its answers.
ASSUMED: Mapping[str, tuple[str, ...]] = {
    "completion": ("polling: a completion is not waited for",),
    "old-api": (
        "dialect: only a page that is not found says that there is no new one",
        "dialect: an object in place of a token is a login that failed",
        "dialect: a redirect says nothing of the dialect",
    ),
    "ready-file": (
        "after-work: a file that changes once it has arrived is another task's",
        "after-work: a checksum that comes later is not compared",
    ),
    "x509": ("worlds: a certificate has the lines of PEM",),
    "reading-extends": (
        "take over: expiry is always a sign of life",
        "take over: a session in which nothing moves is nobody's, although reading extends it",
    ),
    "put-answer": ("worlds: only the status 200 answers an upload",),
    "iso-preview": ("worlds: only a session whose files are shown to arrive may lack a preview",),
    "ova-preview": ("worlds: an UNAVAILABLE preview of an OVA will not come",),
    "ova-members": ("worlds: the item has every member of an OVA",),
    "client-token": ("worlds: a client token is forgotten with its session",),
    "cancel-meanwhile": ("worlds: vCenter refuses to cancel what it completes",),
    "meanwhile": ("worlds: vCenter says of a session that it completes it",),
    "unignored-warning": ("worlds: a completion that is refused leaves the session ACTIVE",),
    "pin": ("worlds: every vCenter pins by SHA-1",),
    "range": ("worlds: a server sends the part that it was asked for",),
    "download-address": ("worlds: a download goes on without its session",),
}
#: Why no mistake can assume an answer.
NOTHING_ASSUMED: Mapping[str, str] = {
    "busy-text": "The task goes by the type of the refusal, and shows its text as it came.",
    "item-names": "Only vCenter judges the name of an item. The task sends it, and shows the refusal as it came.",
}
SIMULATOR: tuple[Row, ...] = (
    (
        "polling: what was not received yet is found complete",
        "Updates.validate",
        without("_not_received"),
        sdk("late.iso"),
    ),
    (
        "order: a certificate is taken after the descriptor",
        "Updates.add_file",
        never("cert"),
        sdk("x.mf"),
    ),
    (
        "clean-up: a session is deleted while it is ACTIVE",
        "Updates.delete",
        never("ACTIVE"),
        sdk("delete"),
    ),
    (
        "retry: a client token makes a new session each time",
        "Updates.create",
        without("_tokens", "session"),
        sdk("client_token"),
    ),
    (
        "read-back: a change of warning_behavior is answered with success, and not made",
        "Updates.update",
        never("patch_ignored"),
        sdk("update_changes"),
    ),
    (
        "two ACTIVE sessions on one item",
        "Updates._refuse_second",
        without("resource_busy"),
        sdk("RESOURCE_BUSY"),
    ),
    (
        "a list has the sessions of other items",
        "Updates.list",
        always("item_id", "entry"),
        sdk("get_and_list"),
    ),
    (
        "a list has other users' sessions",
        "Updates.list",
        always("user"),
        sdk("only_the_callers"),
    ),
)
