//go:build !windows

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Where distributions keep their bundle, in the order of Go's crypto/x509 (root_linux.go): the first that exists counts. Folders of
// single certificates are read where there is no bundle: beside one they have the same certificates again.
var bundles = []string{
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
	"/etc/pki/tls/cacert.pem",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	"/etc/ssl/cert.pem",
}

var folders = []string{"/etc/ssl/certs", "/etc/pki/tls/certs"}

func systemCertificates() ([]time.Time, error) {
	files := bundles
	if named := os.Getenv("SSL_CERT_FILE"); named != "" {
		files = []string{named}
	}
	for _, file := range files {
		text, err := readBounded(file)
		if err == nil {
			return parseBundle(text), nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("cannot read the certificates in %s: %w", file, err)
		}
	}
	dirs := folders
	if named := os.Getenv("SSL_CERT_DIR"); named != "" {
		dirs = strings.Split(named, ":")
	}
	var ends []time.Time
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, entry := range entries {
			if text, err := readBounded(filepath.Join(dir, entry.Name())); err == nil {
				ends = append(ends, parseBundle(text)...)
			}
		}
	}
	return ends, nil
}
