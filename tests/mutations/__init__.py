# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deliberate mistakes in client and simulator, and whether the suites that judge the wire see each of them."""
