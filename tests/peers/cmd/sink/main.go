// SPDX-FileCopyrightText: 2026 The vsphere.content authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Command sink takes any PUT and forgets it, and answers GET /SIZE with that many bytes: an HTTPS server that is faster
// than its clients, so that clients can be compared. It prints one line of JSON when it is ready, and stops when its
// standard input ends or on SIGTERM.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const blockBytes = 1 << 20

type ready struct {
	Hostname string `json:"hostname"`
	Port     int    `json:"port"`
	CAPath   string `json:"ca_path"`
	PID      int    `json:"pid"`
}

func main() {
	if err := serve(); err != nil {
		log.Fatal(err)
	}
}

func serve() error {
	certificate, authority, err := makeCertificate()
	if err != nil {
		return err
	}
	path, err := writeAuthority(authority)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(path) }()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	content := make([]byte, blockBytes)
	if _, err := rand.Read(content); err != nil {
		return err
	}
	server := &http.Server{
		Handler: handler(content),
		TLSConfig: &tls.Config{
			Certificates: []tls.Certificate{certificate},
			MinVersion:   tls.VersionTLS12,
			// With HTTP/2 each client would be measured by its flow control.
			NextProtos: []string{"http/1.1"},
		},
		ReadHeaderTimeout: time.Minute,
	}
	defer func() { _ = server.Close() }()
	broken := make(chan error, 1)
	go func() { broken <- server.ServeTLS(listener, "", "") }()

	address := listener.Addr().(*net.TCPAddr)
	line := ready{address.IP.String(), address.Port, path, os.Getpid()}
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		return err
	}

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	// A caller that was killed sends no signal, but its end of the pipe goes away with it.
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop <- syscall.SIGTERM
	}()
	select {
	case err := <-broken:
		return err
	case <-stop:
		return nil
	}
}

func handler(content []byte) http.Handler {
	return http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		switch request.Method {
		case http.MethodPut:
			take(answer, request)
		case http.MethodGet:
			give(answer, request, content)
		default:
			http.Error(answer, "PUT or GET", http.StatusMethodNotAllowed)
		}
	})
}

func take(answer http.ResponseWriter, request *http.Request) {
	// io.Discard would read in blocks of 8 KiB.
	block := make([]byte, blockBytes)
	for {
		_, err := request.Body.Read(block)
		if err == io.EOF {
			return
		}
		if err != nil {
			http.Error(answer, err.Error(), http.StatusBadRequest)
			return
		}
	}
}

func give(answer http.ResponseWriter, request *http.Request, content []byte) {
	size, err := strconv.ParseInt(strings.TrimPrefix(request.URL.Path, "/"), 10, 64)
	if err != nil || size < 0 {
		http.Error(answer, fmt.Sprintf("%q is no size", request.URL.Path), http.StatusNotFound)
		return
	}
	answer.Header().Set("Content-Type", "application/octet-stream")
	answer.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	for size > 0 {
		sent, err := answer.Write(content[:min(size, blockBytes)])
		if err != nil {
			return
		}
		size -= int64(sent)
	}
}

// makeCertificate returns a certificate for the loopback address that is its own authority, and the same as DER.
func makeCertificate() (tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(now.UnixNano()),
		Subject:               pkix.Name{CommonName: "throw-away sink"},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(24 * time.Hour),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, der, nil
}

func writeAuthority(der []byte) (string, error) {
	file, err := os.CreateTemp("", "sink-*.pem")
	if err != nil {
		return "", err
	}
	if err := pem.Encode(file, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
		return "", err
	}
	return file.Name(), file.Close()
}
