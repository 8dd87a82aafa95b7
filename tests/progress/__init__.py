# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people see of a task while it runs: the lines, where they appear, and what happens when something is killed."""
