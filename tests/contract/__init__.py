# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What vCenter's published API description says of the operations used here, and whether an exchange keeps to it."""
