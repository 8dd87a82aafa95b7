// SPDX-FileCopyrightText: 2026 The vsphere.content authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Command actionlint reads workflows of GitHub, and says what is wrong with them.
package main

import (
	"os"

	"github.com/rhysd/actionlint"
)

func main() {
	command := actionlint.Command{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	os.Exit(command.Main(os.Args))
}
