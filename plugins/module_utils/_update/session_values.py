# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the values of an update session are set: which warnings it ignores, its progress, and how long it lives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .._session.arrival import behaviors, require_warning_behavior
from .._session.lost_answers import noted
from .._vcenter.api import UpdateSessions
from .._vcenter.errors import ContentError
from .._vcenter.models import UpdateSession
from .session_record import SessionRecord
from .update_plan import Declared, Plan

WARNINGS_SET = "warning_behavior was set"


def set_values(
    updates: UpdateSessions, session: UpdateSession, plan: Plan, declared: Declared, record: SessionRecord
) -> UpdateSession:
    """Set the values of the plan, and extend the session if the task declares that; returns the session afterwards.

    Raises `InvalidResponse` if the server answers with success but does not take `warning_behavior`.
    """
    session_id = str(session.id)
    if plan.ignored_warnings is not None and not plan.opens:
        session = ignore_warnings(updates, session_id, plan.ignored_warnings, record)
    elif plan.ignored_warnings is not None:
        require_warning_behavior(session, plan.ignored_warnings)
    if plan.client_progress is None and declared.keep_alive:
        updates.keep_alive(session_id)
    if plan.client_progress is not None:
        with noted("client_progress was set", record.was_changed):
            updates.keep_alive(session_id, plan.client_progress)
        # The progress that an upload reports starts from here and never goes back.
        session = replace(session, client_progress=plan.client_progress)
    return session


def ignore_warnings(
    updates: UpdateSessions, session_id: str, kinds: Sequence[str], record: SessionRecord
) -> UpdateSession:
    """Have a session ignore these warnings and no others; returns it.

    Raises InvalidResponse if the server answers with success but does not take `warning_behavior`.
    """
    with noted(WARNINGS_SET, record.was_changed):
        updates.set_warning_behavior(session_id, behaviors(kinds))
    session = updates.get(session_id)
    try:
        require_warning_behavior(session, kinds)
    except ContentError:
        record.was_not_changed(WARNINGS_SET)
        raise
    return session
