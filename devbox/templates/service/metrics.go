package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// requests counts what the service answered, for Prometheus. The label service is the business of who scrapes.
type requests struct {
	mutex   sync.Mutex
	byCode  map[int]uint64
	seconds float64
}

// counted counts what next answers; a panic counts as 500, which is what its client sees.
func (r *requests) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		answer := &answer{ResponseWriter: w, code: http.StatusOK}
		began := time.Now()
		ended := false
		defer func() {
			if !ended {
				answer.code = http.StatusInternalServerError
			}
			r.add(answer.code, time.Since(began))
		}()
		next.ServeHTTP(answer, request)
		ended = true
	})
}

func (r *requests) add(code int, took time.Duration) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.byCode == nil {
		r.byCode = map[int]uint64{}
	}
	r.byCode[code]++
	r.seconds += took.Seconds()
}

// ServeHTTP answers in Prometheus' text format.
func (r *requests) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	r.mutex.Lock()
	byCode, seconds := maps.Clone(r.byCode), r.seconds
	r.mutex.Unlock()
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	fmt.Fprintln(w, "# HELP http_requests_total Requests, by the status of their answers.\n# TYPE http_requests_total counter")
	var all uint64
	for _, code := range slices.Sorted(maps.Keys(byCode)) {
		fmt.Fprintf(w, "http_requests_total{code=\"%d\"} %d\n", code, byCode[code])
		all += byCode[code]
	}
	fmt.Fprintln(w, "# HELP http_request_duration_seconds How long answers took.\n# TYPE http_request_duration_seconds summary")
	fmt.Fprintf(w, "http_request_duration_seconds_sum %g\nhttp_request_duration_seconds_count %d\n", seconds, all)
}

// answer remembers the status.
type answer struct {
	http.ResponseWriter
	code   int
	isSent bool
}

func (a *answer) WriteHeader(code int) {
	// Answers such as 103 go before the one that counts.
	if !a.isSent && code >= 200 {
		a.code, a.isSent = code, true
	}
	a.ResponseWriter.WriteHeader(code)
}

func (a *answer) Write(bytes []byte) (int, error) {
	a.isSent = true
	return a.ResponseWriter.Write(bytes)
}

// Unwrap lets http.ResponseController reach what is below.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
