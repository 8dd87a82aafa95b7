# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roles, playbooks and what AWX needs of them, run as people run them."""
