# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes wrong on purpose, and what becomes of a task then: it works, or it fails and has put everything back."""
