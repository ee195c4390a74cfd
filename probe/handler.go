package main

import (
	"encoding/json"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func newHandler(s *state) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		containerCollector{readContainer},
		stateCollector{s},
	)
	routes := http.NewServeMux()
	routes.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		// Degraded is no failure of the program beside the probe: the status stays 200.
		json.NewEncoder(w).Encode(s.read().health(s.now()))
	})
	routes.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	return routes
}

// stateCollector shows what /healthz answers.
type stateCollector struct{ state *state }

var (
	goInfo   = prometheus.NewDesc("go_win_probe_go_info", "Version of the Go toolchain of this image, else of the probe's runtime.", []string{"version"}, nil)
	sbomInfo = prometheus.NewDesc("go_win_probe_sbom_info", "Hash of the SBOM of this image.", []string{"hash"}, nil)
	expiry   = prometheus.NewDesc("go_win_probe_cert_expiry_seconds", "Seconds until the next certificate of the system store expires.", nil, nil)
	total    = prometheus.NewDesc("go_win_probe_certs", "Certificates in the system store.", nil, nil)
	expired  = prometheus.NewDesc("go_win_probe_certs_expired", "Certificates in the system store that have expired.", nil, nil)
	degraded = prometheus.NewDesc("go_win_probe_faults", "What should be readable and is not: certificates, SBOM. The probe's log says why.", nil, nil)
)

func (c stateCollector) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{goInfo, sbomInfo, expiry, total, expired, degraded} {
		to <- desc
	}
}

func (c stateCollector) Collect(to chan<- prometheus.Metric) {
	found := c.state.read()
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	gauge(goInfo, 1, found.goVersion)
	if found.sbom != "" {
		gauge(sbomInfo, 1, found.sbom)
	}
	if !found.certs.next.IsZero() {
		gauge(expiry, found.certs.next.Sub(c.state.now()).Seconds())
	}
	gauge(total, float64(found.certs.total))
	gauge(expired, float64(found.certs.expired))
	gauge(degraded, float64(len(found.faults)))
}
