# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Publishes, refreshes, fetches and cleans for minutes while faults happen at random; counts what is left over."""
