# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures the collection against what people use today: ``make bench``, or ``python -m tools.bench --help``."""
