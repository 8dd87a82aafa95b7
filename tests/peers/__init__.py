# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs that nobody here wrote, as witnesses: govmomi's vcsim and govc, and the official Python bindings."""
