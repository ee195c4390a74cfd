package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRequestsAreCountedByStatus(t *testing.T) {
	counts := new(requests)
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) })
	mux.HandleFunc("/nothing", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/late", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("ok"))
		w.WriteHeader(http.StatusInternalServerError)
	})
	mux.HandleFunc("/early", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	mux.HandleFunc("/flush", func(w http.ResponseWriter, _ *http.Request) {
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	server := httptest.NewServer(counts.counted(mux))
	defer server.Close()
	for _, path := range []string{"/ok", "/nothing", "/late", "/early", "/flush", "/panic", "/missing"} {
		if answer, err := http.Get(server.URL + path); err == nil {
			_ = answer.Body.Close()
		}
	}

	answer := httptest.NewRecorder()
	counts.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, line := range []string{
		`http_requests_total{code="200"} 4`,
		`http_requests_total{code="404"} 1`,
		`http_requests_total{code="503"} 1`,
	} {
		if !strings.Contains(answer.Body.String(), line+"\n") {
			t.Errorf("no %s in\n%s", line, answer.Body)
		}
	}
	// net/http may ask a second time after a connection that ended without an answer.
	if !strings.Contains(answer.Body.String(), `http_requests_total{code="500"} `) {
		t.Errorf("a panic is not counted in\n%s", answer.Body)
	}
}
