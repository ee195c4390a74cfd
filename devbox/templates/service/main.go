// service is a small HTTP service to begin with: replace what it answers at / by what yours does.
package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"example.com/service/health"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	address := os.Getenv("LISTEN")
	if address == "" {
		address = ":8080"
	}
	if err := serve(address, log); err != nil {
		log.Error("the service ended", "cause", err.Error())
		os.Exit(1)
	}
}

// serve answers until the process is asked to end; then requests that have begun get five seconds.
func serve(address string, log *slog.Logger) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           routes(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	log.Info("the service answers", "address", listener.Addr().String())
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		patience, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return server.Shutdown(patience)
	}
}

func routes() http.Handler {
	service := http.NewServeMux()
	service.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("It works.\n"))
	})

	// What watches the service is no traffic of it.
	counts := new(requests)
	mux := http.NewServeMux()
	mux.Handle("/", counts.counted(service))
	mux.Handle("GET /metrics", counts)
	// In the form that `go-win-probe -check` reads, which is the health check of the image.
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(health.Answer{Status: health.OK})
	})
	return mux
}
