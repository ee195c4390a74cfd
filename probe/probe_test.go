package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var today = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func certificate(t testing.TB, ends time.Time) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: ends.AddDate(-1, 0, 0), NotAfter: ends}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// tempDir does not fail where it cannot be removed: wine 8 lacks the call by which Go removes files on Windows.
func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "probe-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestBundleAndJudge(t *testing.T) {
	soon, later, past := today.Add(36*time.Hour), today.AddDate(1, 0, 0), today.AddDate(0, 0, -3)
	junk := []byte("# a comment\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
	bundle := bytes.Join([][]byte{junk, certificate(t, later), certificate(t, past), certificate(t, soon)}, []byte("\n"))

	found := judge(parseBundle(bundle), today)
	if !found.next.Equal(soon) || found.total != 3 || found.expired != 1 {
		t.Errorf("found %+v", found)
	}
	if found := judge([]time.Time{past, past.Add(-time.Hour)}, today); !found.next.Equal(past) || found.expired != 2 {
		t.Errorf("all expired: %+v", found)
	}
	if found := judge(nil, today); !found.next.IsZero() || found.total != 0 {
		t.Errorf("an empty store: %+v", found)
	}
}

func FuzzParseBundle(f *testing.F) {
	f.Add(certificate(f, today))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if count := bytes.Count(text, []byte("-----BEGIN")); len(parseBundle(text)) > count {
			t.Errorf("more certificates than the %d blocks", count)
		}
	})
}

const sbomText = `{"bomFormat":"CycloneDX","specVersion":"1.6","version":1}`

// printf '%s' TEXT | sha256sum
const sbomSum = "sha256:02f6a105355f47d032e4a79def266aabfb1c12f6611cb7d176bd596525e0b0fb"

func TestSBOM(t *testing.T) {
	for _, c := range []struct{ name, text, fault string }{
		{"SPDX", `{"spdxVersion":"SPDX-2.3"}`, "expected bomFormat CycloneDX"},
		{"no JSON", "<bom/>", "invalid character"},
		{"cut off", sbomText[:20], "unexpected end"},
		{"no version", `{"bomFormat":"CycloneDX"}`, "specVersion"},
	} {
		file := filepath.Join(tempDir(t), "sbom.json")
		os.WriteFile(file, []byte(c.text), 0o600)
		if _, err := hashSBOM(file); err == nil || !strings.Contains(err.Error(), c.fault) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := hashSBOM(tempDir(t)); !errors.Is(err, errNoFile) {
		t.Errorf("a folder: %v", err)
	}
	if _, err := hashSBOM(filepath.Join(tempDir(t), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func FuzzRequireCycloneDX(f *testing.F) {
	f.Add([]byte(sbomText))
	f.Add([]byte(`{"bomFormat":{},"specVersion":[]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if requireCycloneDX(text) == nil && !json.Valid(text) {
			t.Error("accepted what is no JSON")
		}
	})
}

func TestGoVersion(t *testing.T) {
	root := tempDir(t)
	file := filepath.Join(root, "VERSION")
	for text, want := range map[string]string{
		"go1.26.8\ntime 2026-10-07T17:14:33Z\n": "go1.26.8",
		"go1.21rc2":                             "go1.21rc2",
		"go1.26.8\r\n":                          "go1.26.8",
		"devel go1.27-abcdef":                   "",
		"<script>":                              "",
		"":                                      "",
	} {
		os.WriteFile(file, []byte(text), 0o600)
		if found := readGoVersion(file); found != want {
			t.Errorf("%q: found %q", text, found)
		}
	}
	os.WriteFile(file, []byte("go1.99.1\n"), 0o600)
	t.Setenv("GOROOT", root)
	if found := installedGo(); found != "go1.99.1" {
		t.Errorf("GOROOT: found %q", found)
	}
}

func probe(t *testing.T, sbom string) (*httptest.Server, *state, *bytes.Buffer) {
	var log bytes.Buffer
	s := newState(sbom, func() time.Time { return today }, &log)
	s.goVersion = func() string { return "go1.26.8" }
	s.certificates = func() ([]time.Time, error) { return []time.Time{today.Add(36 * time.Hour)}, nil }
	server := httptest.NewServer(newHandler(s))
	t.Cleanup(server.Close)
	return server, s, &log
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestAnswers(t *testing.T) {
	sbom := filepath.Join(tempDir(t), "sbom.json")
	os.WriteFile(sbom, []byte(sbomText), 0o600)
	server, _, log := probe(t, sbom)

	status, text := get(t, server.URL+"/healthz")
	want := `{"status":"ok","go_version":"go1.26.8","cert_expiry_days":1,"sbom_hash":"` + sbomSum + "\"}\n"
	if status != 200 || text != want {
		t.Errorf("%d %s", status, text)
	}
	_, metrics := get(t, server.URL+"/metrics")
	for _, line := range []string{
		`go_win_probe_go_info{version="go1.26.8"} 1`,
		`go_win_probe_sbom_info{hash="` + sbomSum + `"} 1`,
		`go_win_probe_cert_expiry_seconds 129600`,
		`go_win_probe_certs 1`,
		`go_win_probe_certs_expired 0`,
		`go_win_probe_faults 0`,
		`go_goroutines `,
	} {
		if !strings.Contains(metrics, "\n"+line) {
			t.Errorf("no %s", line)
		}
	}
	if status, _ := get(t, server.URL+"/"); status != 404 {
		t.Errorf("/ is %d", status)
	}
	if log.Len() > 0 {
		t.Errorf("log: %s", log)
	}
	if err := checkHealth(server.URL+"/healthz", time.Minute); err != nil {
		t.Error(err)
	}
}

func TestDegraded(t *testing.T) {
	sbom := filepath.Join(tempDir(t), "sbom.json")
	os.WriteFile(sbom, []byte("{}"), 0o600)
	server, s, log := probe(t, sbom)
	s.certificates = func() ([]time.Time, error) { return nil, errors.New("the store is locked") }

	status, text := get(t, server.URL+"/healthz")
	if status != 200 || text != `{"status":"degraded","go_version":"go1.26.8","cert_expiry_days":null,"sbom_hash":null}`+"\n" {
		t.Errorf("%d %s", status, text)
	}
	s.until = time.Time{}
	get(t, server.URL+"/metrics")
	if got := strings.Count(log.String(), "the store is locked"); got != 1 || !strings.Contains(log.String(), "is no SBOM") {
		t.Errorf("logged %d times: %s", got, log)
	}
	if err := checkHealth(server.URL+"/healthz", time.Minute); err == nil || !strings.Contains(err.Error(), "degraded") {
		t.Errorf("check: %v", err)
	}
}

func TestNoSBOM(t *testing.T) {
	server, _, _ := probe(t, filepath.Join(tempDir(t), "none"))
	if _, text := get(t, server.URL+"/healthz"); !strings.Contains(text, `"status":"ok"`) || !strings.Contains(text, `"sbom_hash":null`) {
		t.Error(text)
	}
}

func TestCheck(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"found 503":          func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
		"found 302":          func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", 302) },
		"expected the JSON":  func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") },
		"expected the JSON ": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") },
	} {
		server := httptest.NewServer(handler)
		if err := checkHealth(server.URL, time.Minute); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(name)) {
			t.Errorf("%s: %v", name, err)
		}
		server.Close()
		if err := checkHealth(server.URL, time.Minute); err == nil {
			t.Error("nobody answers, and it is healthy")
		}
	}
}

func TestArguments(t *testing.T) {
	for _, c := range []struct {
		args   []string
		exit   int
		stdout string
		stderr string
	}{
		{[]string{"-help"}, 0, "go-win-probe -check URL", ""},
		{[]string{"-port", "1"}, 2, "", "see go-win-probe -help"},
		{[]string{"serve"}, 2, "", `found "serve"`},
		{[]string{"-check", "http://127.0.0.1:1/healthz"}, 1, "", "no healthy answer"},
		{[]string{"-check", ""}, 1, "", "no healthy answer"},
		{[]string{"-listen", "256.0.0.1:0"}, 1, "", "choose another address with -listen"},
	} {
		var stdout, stderr bytes.Buffer
		if exit := run(c.args, &stdout, &stderr); exit != c.exit || !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) {
			t.Errorf("%v: exit %d, %q, %q", c.args, exit, stdout.String(), stderr.String())
		}
	}
}

// The readers of this machine itself, whichever it is: Windows' store and job objects under wine, too.
func TestThisMachine(t *testing.T) {
	ends, err := systemCertificates()
	if err != nil {
		t.Error(err)
	}
	t.Logf("%d certificates", len(ends))
	found := readContainer()
	for _, metric := range containerMetrics {
		value := metric.value(found)
		t.Logf("%s %s", metric.desc, show(value))
		if value != nil && *value < 0 {
			t.Errorf("%s is %v", metric.desc, *value)
		}
	}
	if !versionLine.MatchString(installedGo()) && !strings.HasPrefix(installedGo(), "go") {
		t.Errorf("Go %q", installedGo())
	}
}
