package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"sync"
	"time"
)

// health is the answer of /healthz. What is unknown is null.
type health struct {
	// "ok", or "degraded" where a file that should be readable is not.
	Status    string `json:"status"`
	GoVersion string `json:"go_version"`
	// Whole days until the first certificate of the system store expires that has not expired yet.
	CertExpiryDays *int    `json:"cert_expiry_days"`
	SBOMHash       *string `json:"sbom_hash"`
}

// facts are what was found at one moment.
type facts struct {
	goVersion string
	certs     validity
	sbom      string
	// Of what should be readable and is not.
	faults []error
}

// A certificate bundle has hundreds of entries: it is read again at most so often.
const keptFor = time.Minute

// state reads the facts when they are asked for, and keeps them for a minute.
type state struct {
	sbom string
	now  func() time.Time
	// Readers of this machine, replaced in tests.
	goVersion    func() string
	certificates func() ([]time.Time, error)

	log io.Writer

	mutex sync.Mutex
	kept  facts
	until time.Time
	// What the log has, so that a fault is in it once, not once a minute.
	logged string
}

func newState(sbom string, now func() time.Time, log io.Writer) *state {
	return &state{sbom: sbom, now: now, log: log, goVersion: installedGo, certificates: systemCertificates}
}

func (s *state) read() facts {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	now := s.now()
	if now.Before(s.until) {
		return s.kept
	}
	found := facts{goVersion: s.goVersion()}
	ends, err := s.certificates()
	if err != nil {
		found.faults = append(found.faults, err)
	}
	found.certs = judge(ends, now)
	hash, err := hashSBOM(s.sbom)
	switch {
	case err == nil:
		found.sbom = hash
	case errors.Is(err, fs.ErrNotExist):
		// A machine without an SBOM is healthy.
	default:
		found.faults = append(found.faults, err)
	}
	if fault := errors.Join(found.faults...); fault == nil {
		s.logged = ""
	} else if s.logged != fault.Error() {
		s.logged = fault.Error()
		fmt.Fprintln(s.log, s.logged)
	}
	s.kept, s.until = found, now.Add(keptFor)
	return found
}

func (f facts) health(now time.Time) health {
	answer := health{Status: "ok", GoVersion: f.goVersion}
	if len(f.faults) > 0 {
		answer.Status = "degraded"
	}
	if !f.certs.next.IsZero() {
		days := int(math.Floor(f.certs.next.Sub(now).Hours() / 24))
		answer.CertExpiryDays = &days
	}
	if f.sbom != "" {
		answer.SBOMHash = &f.sbom
	}
	return answer
}
