#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: content_library_update_session
short_description: Publish files to a content library item in an update session
version_added: 0.1.0
author:
  - The vsphere.content authors (@vsphere-content)
description:
  - Content reaches an item of a vCenter content library through an update session. A task declares the state of the
    session, the warnings that it may ignore and the files that the item should hold, and the module changes what
    differs.
  - With O(state=done) and O(files) the task publishes. It creates the item if there is none of that name. If the item
    already holds exactly these files, the task creates no session, uploads nothing and reports no change, so a playbook
    can run it any number of times.
  - Without O(state=done) the task publishes nothing. It leaves the session open, and the item keeps its content until
    another task completes the session.
  - The task takes over a session that an earlier, killed run left behind. If the task fails, it cancels and deletes the
    session that it created, so that nothing blocks the next run. It also deletes the item that it created, if the item
    is still empty and nobody uses it.
  - If a local file changes after the task first looked at it and before the last file is sent, the task fails with the
    type V(TRANSFER_FAILED) and publishes nothing.
  - The task sends the manifest, the certificate and the descriptor of an OVF package first. If vCenter raises a warning
    about them that neither O(accepted_signer) nor O(warning_behavior) accepts, the task fails before it sends the first
    byte of a disk.
extends_documentation_fragment:
  - vsphere.content.attributes
  - vsphere.content.attributes.group
  - vsphere.content.connection
  - vsphere.content.library_item
  - vsphere.content.progress
attributes:
  check_mode:
    support: full
    details:
      - Check mode cannot predict the warnings of a preview, as vCenter raises them only when it has the files.
      - An item that an earlier task of the play would create does not exist in check mode. The task predicts that it
        creates the item itself. With O(create_item=false) it fails.
options:
  session_id:
    description:
      - The identifier of the update session.
      - If it is left out, the task uses the caller's ACTIVE session on the item. vCenter allows one at a time.
    type: str
  state:
    description:
      - The state to bring the session to.
      - V(active) makes sure that there is an ACTIVE session with these O(warning_behavior) and O(files). The task
        creates none if the item already holds the O(files).
      - V(done) completes the session, so that its content becomes the item's content. If there is no session, the task
        creates one first. Without O(files) and without a session on the item, there is nothing to complete.
      - V(canceled) cancels an ACTIVE session, V(error) marks it as failed with O(error_message).
      - V(absent) removes the session, and cancels it first if it is ACTIVE.
      - A session that has ended cannot be opened again, and cannot end in another way. The task fails if O(session_id)
        names such a session. If the task names the item, V(active) and V(done) create a new session.
    type: str
    choices: [active, done, canceled, error, absent]
    required: true
  warning_behavior:
    description:
      - Which warnings about the signature of an OVF package vCenter should ignore.
      - vCenter ignores only the warnings that the list names with O(warning_behavior[].ignored=true). Order, duplicates
        and entries with O(warning_behavior[].ignored=false) make no difference.
      - If it is left out, an existing session keeps its list, and a new session ignores no warning.
    type: list
    elements: dict
    suboptions:
      type:
        description:
          - The warning, by vCenter's name.
        type: str
        required: true
        choices:
          - SELF_SIGNED_CERTIFICATE
          - EXPIRED_CERTIFICATE
          - NOT_YET_VALID_CERTIFICATE
          - UNTRUSTED_CERTIFICATE
      ignored:
        description:
          - Whether the content is accepted in spite of the warning.
        type: bool
        required: true
  accepted_signer:
    description:
      - The signer whose OVF packages to publish, whatever vCenter raises about the signer's certificate. It is the
        SHA-256 fingerprint of that certificate in hexadecimal digits, with or without colons, or the certificate in PEM
        form, or the absolute path of a file with it on the host that runs the task.
      - This accepts one signer, and O(warning_behavior) accepts everybody about whom vCenter raises no other warning.
        So a task takes only one of the two. Warnings that are not about the certificate stay errors.
      - The task compares each local C(.cert), also in an C(.ova), before it changes anything, in check mode too. It
        refuses another signer, and a local package without C(.cert), with the type V(SIGNER_NOT_ACCEPTED). Files that
        belong to no package have no signer.
      - The task compares the certificate in vCenter's preview before it sends the first disk, and again before it
        completes the session. Of a package that vCenter fetches, there is only this certificate to compare.
      - If a preview shows no certificate, the task goes on only in a session that it has created, and only if the one
        certificate that it has sent there is the accepted one.
      - Right before the completion, the task has the session ignore the warnings that the preview raises. With
        O(state=active) it does not do so, and the task that completes the session has to accept the signer, too.
      - A task that publishes nothing does not compare signers.
    type: str
  files:
    description:
      - The files that the item should hold, or with O(files[].state=absent) should not hold.
      - With an C(.ovf), the task also sends the files that it references, and the C(.mf) and C(.cert) of the same name
        beside it, in upper or lower case. A referenced file that is not beside it may have an entry of its own, with
        O(files[].src) or O(files[].url).
      - The task never leaves out a signature silently. If a descriptor has no C(.mf) or C(.cert) of its name, and the
        directory holds one that belongs to no other descriptor, the task fails. If the directory holds several of them,
        the task warns. To send such a file, name it here, too.
      - The task fails before it creates a session, in check mode too, if the type of the item excludes a file. An item
        of type V(iso) takes no C(.ovf) and no C(.ova). With O(state=done), an item of type V(ovf) takes an C(.iso) only
        along with a descriptor, or in place of one of that name. A VM template takes no session at all.
      - If it is left out, the task neither sends nor compares files. An empty list declares nothing.
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - The name of the file in the item.
          - If it is left out, it is the last part of O(files[].src), or of the path of the file in that directory.
        type: str
      src:
        description:
          - The absolute path of the file on the host that runs the task. Needed unless O(files[].url) is given or
            O(files[].state=absent).
          - A directory stands for the only C(.ovf), C(.ova) or C(.iso) in it. If there is none, or more than one, the
            task fails. It does not look into the directories below.
          - The task sends an C(.ova) whole, and vCenter unpacks it. The task compares the files in it with those of the
            item.
          - If E(VMWARE_PUBLISH_SRC_ROOT) is set, or C(publish_src_root) in the section C(vsphere_content) of
            C(ansible.cfg), the real path of each file that the task reads must be below that directory. That includes
            the files that a descriptor references, O(files[].ssl_certificate) and O(accepted_signer).
        type: path
      url:
        description:
          - The C(https), C(http) or C(ds) URL from which vCenter itself fetches the file, so that the bytes do not pass
            through the host that runs the task. Give it instead of O(files[].src).
          - Only O(files[].checksum) tells the task what the URL holds. Without it, O(when_unverifiable) decides whether
            vCenter fetches the file again.
          - The task asks a vCenter that can do so to check the URL before it changes anything.
          - The task sends a user name, password or query in the URL to vCenter, and shows it nowhere.
          - The task does not know what an C(.ova) behind a URL holds, and vCenter takes no O(files[].checksum) for it.
            Once the item holds a descriptor, such a file is unverifiable, so that each run has vCenter fetch it again.
            To avoid that, name the item by the release, and set O(when_unverifiable=skip).
          - With an C(.ovf) behind a URL, vCenter also fetches the files beside it that it references. If O(files) names
            one of them with a URL, vCenter fetches it from there, and only once. The task does not know the names of
            the others. So with an C(.ova) or C(.ovf) behind a URL, O(purge_files) removes nothing.
          - A C(ds) URL names a file on a datastore. vCenter copies it, but if it lies in the storage of the library
            itself, vCenter moves it.
        type: str
      ssl_thumbprint:
        description:
          - The thumbprint of the certificate of the server in O(files[].url), if vCenter does not trust that server
            already. SHA-256 or SHA-1, in hexadecimal digits, with or without colons.
          - The documentation of vCenter asks for SHA-1 before version 9, and for SHA-256 from then on. SHA-1 is weak,
            so the task warns about it if this vCenter takes SHA-256.
          - If it is left out, vCenter accepts only a certificate that it already trusts.
        type: str
      ssl_certificate:
        description:
          - The certificate of that server in PEM form, or the absolute path of a file with it on the host that runs the
            task, instead of O(files[].ssl_thumbprint).
          - vCenter before 9 takes thumbprints only, so the task gives it the thumbprint of the certificate.
        type: str
      checksum:
        description:
          - The checksum of the file in hexadecimal digits, if you know it. vCenter compares it with the file that
            arrives, and the task with what it sends. Of an C(.ova) vCenter takes no checksum, so with O(files[].url) it
            is an error.
          - If the item already has this checksum, the task need not read the file.
          - If it is left out, the task hashes the file where it needs the checksum.
        type: str
      checksum_algorithm:
        description:
          - The algorithm of O(files[].checksum).
        type: str
        choices: [SHA1, MD5, SHA256, SHA512]
        default: SHA256
      state:
        description:
          - Whether the item should hold the file.
        type: str
        choices: [present, absent]
        default: present
  purge_files:
    description:
      - Whether to remove files of the item that O(files) does not name.
      - If it is left out, it is V(true) if O(files) holds an C(.ovf) or C(.ova), as the item then is that package.
        Otherwise it is V(false). If the item holds a file that O(files) does not name, a warning then says whether it
        goes or stays. The task never gives this warning if the option is given.
      - RV(files_removed) and a line of the output name what the task removes.
      - With V(true), the task fails if O(files) would leave the item without any file. A pattern over a directory that
        is not mounted gives such a list. To empty an item, name each file with O(files[].state=absent) and leave this
        option out, or delete the item.
      - The task removes nothing while it does not know which files belong to a package of the item. That is the case if
        vCenter itself fetches the package, or if the item or the session holds a descriptor that the task neither sends
        nor finds equal. A warning then names the files that stay. The task still removes entries with
        O(files[].state=absent).
      - The task never adds a second descriptor beside one of another name. It fails before it changes anything. To
        replace a package by one whose descriptor has another name, give the old descriptor an entry with
        O(files[].state=absent). The task then also removes the other files of the old package.
    type: bool
  when_unverifiable:
    description:
      - What to do with a file whose name and size match, but for which the server has no checksum, so that the task
        cannot compare the content. Every C(.vmdk) without a checksum counts as such a file, whatever its size.
      - V(transfer) sends it again, which is always right and may be slow. V(skip) treats it as equal, which is fast but
        keeps an old image if the new one has the same size. V(upload) means the same as V(transfer).
    type: str
    choices: [transfer, skip, upload]
    default: transfer
  check_manifest:
    description:
      - Whether the task refuses a package whose C(.mf) vCenter would refuse after the upload. It reads the manifest of
        an C(.ovf) or C(.ova) at O(files[].src) whenever it sends something.
      - The task compares files of less than 64 MiB with the manifest before it creates a session, and larger ones while
        it sends them. A file with another digest is an error of the type V(CHECKSUM_MISMATCH), a line that vCenter does
        not take is one of the type V(INVALID_ARGUMENT).
      - With V(false), the task warns instead, and does not compare the larger files.
    type: bool
    default: true
  parallel_transfers:
    description:
      - How many files to send at once, 1 to 32. The task always sends the manifest, the certificate and the descriptor
        of a package first, one by one.
    type: int
    default: 4
  client_progress:
    description:
      - The lowest progress, 0 to 100, that the session should show in vCenter. If it already shows as much or more, the
        task does not change it.
      - If it is left out, the task does not change the progress.
    type: int
  error_message:
    description:
      - The reason to record with O(state=error), which requires it.
    type: str
  keep_alive:
    description:
      - Whether to extend the life of the ACTIVE session, which otherwise expires after some minutes without activity.
        The task does not report this alone as a change.
    type: bool
    default: false
  client_token:
    description:
      - A UUID that makes it safe to repeat the creation of the session. vCenter gives the same session for the same
        token.
      - If it is left out, the task generates one.
    type: str
  wait:
    description:
      - Whether O(state=done) waits until vCenter has completed the session. With V(false) the task returns when vCenter
        has accepted the completion. The session may then still be ACTIVE.
    type: bool
    default: true
  wait_timeout:
    description:
      - How many seconds the server may go without progress on a file, a preview or a completion before the task fails.
      - vCenter shows no progress of a completion. If a completion takes longer, or its answer is lost and the session
        stays ACTIVE, the task fails with the type V(TIMED_OUT). It leaves the session and the item as they are, because
        vCenter may still complete the session, and RV(item_changed) is V(true). The next run waits for the session, and
        asks for its completion once more.
    type: int
    default: 600
  busy_timeout:
    description:
      - How many seconds to wait until another ACTIVE session on the item ends, or until another task has finished its
        work in a session of the same user.
      - With V(0) the task does not wait, and fails with the type V(RESOURCE_BUSY). It takes over a session of the same
        user in which nothing moves. It completes that session at once if it holds everything declared. Otherwise the
        task watches it before it changes it, for 5 seconds, or for 10 if files were on their way, as another task may
        be working in it.
      - A session that vCenter is already completing counts as busy, unless it holds everything declared.
    type: int
    default: 0
  keep_failed_session:
    description:
      - Whether to keep a session that this task created when the task fails, so that you can look at it.
      - Once the task has asked vCenter to complete the session, it keeps the session in any case.
    type: bool
    default: false
  create_item:
    description:
      - Whether the task may create a missing item that is named by O(library) or O(library_id) and O(library_item). It
        does so with O(state=done) and O(state=active), if O(files) names a file to publish. It never creates a library,
        nor an item for O(library_item_id).
      - With V(false), or without such a file, a missing item is an error of the type V(NOT_FOUND).
      - With O(state=absent), O(state=canceled) and O(state=error), a missing item is no error, as it has no session.
      - If the task fails or is ended, it deletes the item that it created, once its session is gone. The item stays if
        it holds a file, if its content version has changed, if there is a session on it that this user can see, or if
        vCenter may still be completing the session. The message then says which. The item also stays with
        O(keep_failed_session).
      - vCenter shows nobody the sessions of other users. A session that another user creates on the new item after the
        task has removed its own, and before the item is deleted, is lost. These are two requests, one right after the
        other. The same holds for the time before the task has created its session.
    type: bool
    default: true
  item_type:
    description:
      - The type of the item that the task creates, such as V(ovf) or V(iso).
      - If it is left out, the type is V(ovf) if O(files) holds an C(.ovf) or C(.ova), and V(iso) if it holds an
        C(.iso). For other files this option is required if the item is missing.
      - An item that exists must be of this type. M(vsphere.content.content_library_item) changes the type of an empty
        one.
      - V(iso) and V(ovf) must be in lower case. V(vm-template) is an error, as such an item takes no session.
    type: str
  item_description:
    description:
      - The description that the item should have. If the item exists and has another one, the task changes it, after
        everything else.
      - If it is left out, a new item has none, and an existing item keeps its description. It needs O(files).
    type: str
seealso:
  - module: vsphere.content.content_library_item
  - module: vsphere.content.content_library_session_info
"""

EXAMPLES = r"""
# The connection comes from VMWARE_HOST, VMWARE_USER and VMWARE_PASSWORD, or from module_defaults.
- name: Publish an ISO
  vsphere.content.content_library_update_session:
    library: templates
    library_item: tools
    state: done
    files:
      - src: /images/tools.iso

- name: Publish an OVF package whose signer vCenter trusts, or that nobody has signed
  vsphere.content.content_library_update_session:
    library: templates
    library_item: rocky9-2026-11
    state: done
    files:
      - src: /images/rocky9-2026-11/rocky9.ovf

- name: Publish an OVF package of one signer, whatever vCenter raises about that signer
  vsphere.content.content_library_update_session:
    library: templates
    library_item: rocky9
    state: done
    accepted_signer: /images/signer.pem
    files:
      - src: /images/rocky9/rocky9.ovf

- name: Fill a session, and look at it before anything is published
  vsphere.content.content_library_update_session:
    library: templates
    library_item: rocky9
    state: active
    accepted_signer: /images/signer.pem
    files:
      - src: /images/rocky9/rocky9.ovf
  register: filled

- name: Complete the session
  vsphere.content.content_library_update_session:
    session_id: "{{ filled.session.id }}"
    state: done
    accepted_signer: /images/signer.pem
  when: filled.session is not none

- name: Have vCenter fetch an image from a mirror
  vsphere.content.content_library_update_session:
    library: templates
    library_item: tools
    state: done
    files:
      - url: https://mirror.example.com/images/tools.iso
        checksum: "{{ tools_iso_sha256 }}"

- name: Remove one file and leave the others alone
  vsphere.content.content_library_update_session:
    library: templates
    library_item: tools
    state: done
    files:
      - name: tools.iso
        state: absent

- name: Make sure that no session of ours blocks the item
  vsphere.content.content_library_update_session:
    library: templates
    library_item: rocky9
    state: absent
"""

RETURN = r"""
session:
  description:
    - The session as the task last saw it, or none.
    - Every key is always present, with none for a value that the server did not send. The task passes on keys that a
      newer vCenter adds.
  returned: always
  type: dict
  sample:
    id: 815994e5-2828-4a88-86ed-4575f9e964e2:9c7e16e9-9b8c-4c5a-a67b-a66a08b7d71c
    library_item_id: 0b1e1a5c-6d3c-4b53-9a19-6c0e2c9f8a55
    library_item_content_version: "2"
    state: DONE
    client_progress: 100
    expiration_time: "2026-11-23T12:05:00.000Z"
    error_message:
    preview_info:
    warning_behavior: []
  contains:
    id:
      description: The identifier of the session.
      type: str
    library_item_id:
      description: The identifier of the item that the session works on.
      type: str
    library_item_content_version:
      description: The content version of the item when the session was created.
      type: str
    state:
      description: V(ACTIVE), V(DONE), V(ERROR) or V(CANCELED).
      type: str
    client_progress:
      description: The progress that the client reported, 0 to 100.
      type: int
    expiration_time:
      description: When the session expires if nothing happens in it.
      type: str
    error_message:
      description:
        - Why the session failed, as vCenter's localizable message with C(id), C(default_message), C(args), C(params)
          and C(localized).
      type: dict
    preview_info:
      description: What vCenter found in descriptor, manifest and certificate, as last seen. A DONE session has none.
      type: dict
      contains:
        state:
          description: V(UNAVAILABLE), V(PREPARING), V(AVAILABLE) or V(NOT_APPLICABLE).
          type: str
        certificate_info:
          description: The signer's certificate.
          type: dict
          contains:
            issuer:
              description: Who issued the certificate.
              type: str
            subject:
              description: Whom the certificate is for.
              type: str
            self_signed:
              description: Whether issuer and subject are the same.
              type: bool
            x509:
              description: The certificate itself, in PEM form.
              type: str
        cert_chain:
          description: The chain of certificates.
          type: list
          elements: str
        warnings:
          description: The warnings raised.
          type: list
          elements: dict
          contains:
            type:
              description: The warning, by vCenter's name.
              type: str
            message:
              description: What vCenter says about it, as a localizable message.
              type: dict
            ignored:
              description: Whether the session ignores the warning.
              type: bool
    warning_behavior:
      description: Which warnings the session ignores.
      type: list
      elements: dict
      contains:
        type:
          description: The warning, by vCenter's name.
          type: str
        ignored:
          description: Whether the content is accepted in spite of the warning.
          type: bool
library_item:
  description:
    - The item as the task last saw it. None if there is none, and O(state) asks for none.
    - In check mode, an item that the task would create has no identifier.
  returned: always
  type: dict
  sample:
    id: 0b1e1a5c-6d3c-4b53-9a19-6c0e2c9f8a55
    name: tools
    library_id: 7b231f64-3f66-443c-a1c2-bc275a521b5c
    type: iso
    content_version: "2"
  contains:
    id:
      description: The identifier of the item.
      type: str
    name:
      description: Its name.
      type: str
    library_id:
      description: The identifier of its library.
      type: str
    type:
      description: Its type, such as V(ovf) or V(iso).
      type: str
    content_version:
      description: Changes when its files do.
      type: str
item_created:
  description:
    - Whether this task created the item, or would create it outside check mode. On failure, whether an item that it
      created stays.
  returned: on success, and on failure once the task has begun to work
  type: bool
  sample: false
files:
  description:
    - The files as the task last saw them, of the session that it filled, or else of the item.
    - Each entry has the same keys. A key that does not apply is none.
  returned: when O(files) is given, or the task had to look at files
  type: list
  elements: dict
  sample:
    - name: tools.iso
      held_by: session
      status: READY
      size: 734003200
      bytes_transferred: 734003200
      checksum_info:
        algorithm: SHA1
        checksum: 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12
      source_type: PUSH
      source_endpoint:
      upload_endpoint:
      error_message:
      keep_in_storage: true
      cached:
      version:
      file_download_endpoint:
      verified: true
  contains:
    name:
      description: The name of the file.
      type: str
    held_by:
      description: V(session) or V(item), whichever the entry describes.
      type: str
    size:
      description: The size in bytes, as the server reports it. For a file of an item, the storage that it uses.
      type: int
    checksum_info:
      description: The server's checksum.
      type: dict
      contains:
        algorithm:
          description: The algorithm, such as V(SHA256).
          type: str
        checksum:
          description: The checksum in hexadecimal digits.
          type: str
    verified:
      description:
        - Whether a checksum proves that the content is that of O(files[].src). None for a file that is not declared.
      type: bool
    status:
      description: How far a file of a session is, such as V(TRANSFERRING) or V(READY). Not for files of an item.
      type: str
    source_type:
      description: V(PUSH), V(PULL), or V(NONE) for a file that the session does not change. Not for files of an item.
      type: str
    bytes_transferred:
      description: How many bytes the server has received. Not for files of an item.
      type: int
    source_endpoint:
      description: The address from which the server fetches the file, without credentials. Not for files of an item.
      type: dict
      contains:
        uri:
          description: The address.
          type: str
        ssl_certificate_thumbprint:
          description: The thumbprint of the certificate of the server there.
          type: str
        ssl_certificate:
          description: The certificate of the server there, in PEM form.
          type: str
    upload_endpoint:
      description: The address to which the task sends the file. Not for files of an item.
      type: dict
      contains:
        uri:
          description: The address.
          type: str
        ssl_certificate_thumbprint:
          description: The thumbprint of the certificate of the server there.
          type: str
        ssl_certificate:
          description: The certificate of the server there, in PEM form.
          type: str
    error_message:
      description: Why the server could not take the file. Not for files of an item.
      type: dict
    cached:
      description: Whether the file is on the library's storage. Only for files of an item.
      type: bool
    version:
      description: Changes when the file does. Only for files of an item.
      type: str
    file_download_endpoint:
      description: The address at which a newer vCenter offers the file. Only for files of an item.
      type: str
    keep_in_storage:
      description: V(false) for manifest and certificate, which vCenter reads and drops. Not for files of an item.
      type: bool
files_removed:
  description:
    - The names of the files that this task removed from the item, or would remove outside check mode. While the session
      is ACTIVE, the item still holds them.
  returned: success
  type: list
  elements: str
  sample: [tools-2026-10.iso]
item_changed:
  description:
    - Whether this task completed a session, so that the item has new content. On failure, it is also true if the item
      may have new content.
  returned: on success, and on failure once the task has begun to work
  type: bool
  sample: true
transferred:
  description: What was sent.
  returned: when something was sent
  type: dict
  sample:
    files: 1
    bytes: 734003200
    seconds: 8.402
  contains:
    files:
      description: How many files were sent.
      type: int
    bytes:
      description: How many bytes these files hold.
      type: int
    seconds:
      description: How long it took, from the first byte to the last.
      type: float
error:
  description: What went wrong, in a form that a playbook can test.
  returned: on failure
  type: dict
  sample:
    type: NOT_FOUND
    status: 404
    operation: update_session.get
    messages: []
    data:
    session_id: 815994e5-2828-4a88-86ed-4575f9e964e2:9c7e16e9-9b8c-4c5a-a67b-a66a08b7d71c
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
      description:
        - More about the failure. For V(WARNINGS_NOT_IGNORED), the warnings, and as C(accepted_signer) and
          C(warning_behavior) what accepts them. For V(SIGNER_NOT_ACCEPTED), C(accepted_signer) is the signer that was
          found, or none.
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
      path: /api/content/library/item/update-session?library_item_id=0b1e1a5c-6d3c-4b53-9a19-6c0e2c9f8a55
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

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._item.item_lookup import ITEM_MUTUALLY_EXCLUSIVE, describe_item, item_spec, require_complete_names
from ..module_utils._session.arrival import SIGNER_WARNINGS
from ..module_utils._task.converge import Task, converge
from ..module_utils._task.option_checks import (
    LONGEST_DESCRIPTION,
    LONGEST_NAME,
    read_client_token,
    require_lengths,
    require_limits,
    require_names,
)
from ..module_utils._task.progress import progress_spec
from ..module_utils._task.run import run_module
from ..module_utils._transfer.content import VM_TEMPLATE, Wanted, require_item_type
from ..module_utils._update.update_options import check_written, read_warning_behavior
from ..module_utils._update.update_plan import Declared
from ..module_utils._update.update_resource import UpdateSessionResource
from ..module_utils._vcenter.api import Api
from ..module_utils._vcenter.errors import InvalidArgument
from ..module_utils._vcenter.timing import SYSTEM_CLOCK, Clock


def argument_spec() -> dict[str, Any]:
    return {
        **item_spec(),
        **progress_spec(),
        "session_id": {"type": "str"},
        "state": {"type": "str", "required": True, "choices": ["active", "done", "canceled", "error", "absent"]},
        "warning_behavior": {
            "type": "list",
            "elements": "dict",
            "options": {
                "type": {"type": "str", "required": True, "choices": [*SIGNER_WARNINGS]},
                "ignored": {"type": "bool", "required": True},
            },
        },
        "accepted_signer": {"type": "str"},
        "files": {
            "type": "list",
            "elements": "dict",
            "options": {
                "name": {"type": "str"},
                "src": {"type": "path"},
                "url": {"type": "str"},
                "ssl_thumbprint": {"type": "str"},
                "ssl_certificate": {"type": "str"},
                "checksum": {"type": "str"},
                "checksum_algorithm": {
                    "type": "str",
                    "default": "SHA256",
                    "choices": ["SHA1", "MD5", "SHA256", "SHA512"],
                },
                "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
            },
        },
        "purge_files": {"type": "bool"},
        "when_unverifiable": {"type": "str", "default": "transfer", "choices": ["transfer", "skip", "upload"]},
        "check_manifest": {"type": "bool", "default": True},
        "parallel_transfers": {"type": "int", "default": 4},
        "client_progress": {"type": "int"},
        "error_message": {"type": "str"},
        "keep_alive": {"type": "bool", "default": False},
        "client_token": {"type": "str", "no_log": False},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 600},
        "busy_timeout": {"type": "int", "default": 0},
        "keep_failed_session": {"type": "bool", "default": False},
        "create_item": {"type": "bool", "default": True},
        "item_type": {"type": "str"},
        "item_description": {"type": "str"},
    }


def read_declared(params: Mapping[str, Any]) -> Declared:
    """What the task declares, after the checks that need no server. Raises InvalidArgument."""
    require_names(params)
    if not params["session_id"]:
        require_complete_names(params)
    require_limits(params)
    _require_creatable(params)
    return Declared(
        session_id=params["session_id"],
        state=params["state"],
        ignored_warnings=read_warning_behavior(params["warning_behavior"]),
        accepted_signer=_read_accepted_signer(params["accepted_signer"]),
        wanted=_read_wanted(params),
        accept_unverifiable=params["when_unverifiable"] == "skip",
        check_manifest=params["check_manifest"],
        client_progress=params["client_progress"],
        error_message=params["error_message"],
        keep_alive=params["keep_alive"],
        client_token=read_client_token(params["client_token"]),
        has_client_token=params["client_token"] is not None,
        wait=params["wait"],
        wait_timeout=params["wait_timeout"],
        parallel_transfers=params["parallel_transfers"],
        busy_timeout=params["busy_timeout"],
        keep_failed_session=params["keep_failed_session"],
        create_item=params["create_item"],
        item_type=params["item_type"] or None,
        item_description=params["item_description"],
    )


def _require_creatable(params: Mapping[str, Any]) -> None:
    """Raises InvalidArgument for a type or a description that no item of content can have."""
    require_item_type("item_type", params["item_type"])
    if params["item_type"] == VM_TEMPLATE:
        raise InvalidArgument(
            "item_type is vm-template, and a VM template takes no files", remedy="Set item_type to ovf or iso."
        )
    require_lengths(params, library_item=LONGEST_NAME, item_description=LONGEST_DESCRIPTION)


def _read_accepted_signer(text: str | None) -> str | None:
    if text is None:
        return None
    from ..module_utils._transfer.signer import read_accepted_signer

    return read_accepted_signer(text)


def _read_wanted(params: Mapping[str, Any]) -> Wanted | None:
    if params["files"] is None:
        return None
    # A task without files starts faster without this import.
    from ..module_utils._transfer.files_option import read_wanted

    return read_wanted(params["files"], params["purge_files"])


def _secrets(params: Mapping[str, Any]) -> set[str]:
    """The secrets in the options, which need not be valid."""
    if not params.get("files"):
        return set()
    from ..module_utils._transfer.pull_source import credentials_in

    return credentials_in(params["files"])


def update_session(module: AnsibleModule, task: Task, declared: Declared) -> dict[str, Any]:
    if declared.wanted:
        for text in declared.wanted.warnings:
            task.warn(text)
    resource = UpdateSessionResource(Api(task.connection), declared, module.params, task, check_mode=module.check_mode)
    return converge(resource, check_mode=module.check_mode, diff_mode=module._diff)


def main(clock: Clock = SYSTEM_CLOCK) -> None:
    run_module(
        argument_spec(),
        lambda module: read_declared(module.params),
        update_session,
        describe=describe_item,
        secrets=_secrets,
        check_written=check_written,
        clock=clock,
        supports_check_mode=True,
        mutually_exclusive=[
            *ITEM_MUTUALLY_EXCLUSIVE,
            ("accepted_signer", "warning_behavior"),
            *(("session_id", name) for name in ("library", "library_id", "library_item", "library_item_id")),
        ],
        required_one_of=[("session_id", "library_item", "library_item_id")],
        required_if=[("state", "error", ("error_message",))],
    )


if __name__ == "__main__":
    main()
