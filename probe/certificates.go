package main

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"time"
)

// validity of a store of certificates.
type validity struct {
	// Zero in an empty store.
	next    time.Time
	total   int
	expired int
}

// judge finds the certificate that expires next. Stores keep expired ones on purpose: Windows needs old roots for the timestamps of
// old signatures, so they would hide the one that matters. A store of which all have expired has expired with the last one.
func judge(ends []time.Time, now time.Time) validity {
	found := validity{total: len(ends)}
	var last time.Time
	for _, end := range ends {
		if end.After(last) {
			last = end
		}
		if !end.After(now) {
			found.expired++
		} else if found.next.IsZero() || end.Before(found.next) {
			found.next = end
		}
	}
	if found.next.IsZero() {
		found.next = last
	}
	return found
}

// parseBundle gives the end of validity of each certificate in PEM. What is no certificate is skipped, as crypto/x509 does: bundles
// have comments, and certificates that a newer Go no longer reads.
func parseBundle(text []byte) []time.Time {
	var ends []time.Time
	for len(text) > 0 {
		var block *pem.Block
		block, text = pem.Decode(text)
		if block == nil {
			break
		}
		if block.Type != "CERTIFICATE" || len(block.Headers) != 0 {
			continue
		}
		if certificate, err := x509.ParseCertificate(bytes.Clone(block.Bytes)); err == nil {
			ends = append(ends, certificate.NotAfter)
		}
	}
	return ends
}
