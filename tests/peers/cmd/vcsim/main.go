// SPDX-FileCopyrightText: 2026 The vsphere.content authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Command vcsim is govmomi's vCenter simulator, reduced to what a test of a client needs: it prints one line of JSON
// when it is ready, and stops when its standard input ends or on SIGTERM.
package main

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"log"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/vmware/govmomi/simulator"

	_ "github.com/vmware/govmomi/vapi/simulator"
)

type ready struct {
	Hostname string `json:"hostname"`
	Port     int    `json:"port"`
	Username string `json:"username"`
	Password string `json:"password"`
	CAPath   string `json:"ca_path"`
	PID      int    `json:"pid"`
}

func main() {
	if err := serve(); err != nil {
		log.Fatal(err)
	}
}

func serve() error {
	username, password := "administrator@vsphere.local", "Canary-7f3kQ2"

	model := simulator.VPX()
	defer model.Remove()
	if err := model.Create(); err != nil {
		return err
	}
	model.Service.Listen = &url.URL{Host: "127.0.0.1:0", User: url.UserPassword(username, password)}
	model.Service.TLS = new(tls.Config)
	model.Service.RegisterEndpoints = true

	server := model.Service.NewServer()
	defer server.Close()

	// The server's self-signed certificate is its own authority.
	certificate, err := server.CertificateFile()
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(certificate) }()

	port, err := strconv.Atoi(server.URL.Port())
	if err != nil {
		return err
	}
	line := ready{server.URL.Hostname(), port, username, password, certificate, os.Getpid()}
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		return err
	}

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	// A test run that was killed sends no signal, but its end of the pipe goes away with it.
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop <- syscall.SIGTERM
	}()
	<-stop
	return nil
}
