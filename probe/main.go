// go-win-probe answers what a monitoring system asks of a standard image or a developer machine: which Go it has, when the first
// certificate of its system store expires, the hash of its software bill of materials (SBOM), and what it uses of CPU and memory.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const usage = `go-win-probe reports the state of an image or a machine over HTTP.

  go-win-probe [-listen ADDRESS] [-sbom FILE]
  go-win-probe -check URL

  GET /healthz   {"status", "go_version", "cert_expiry_days", "sbom_hash"}
  GET /metrics   the same and CPU and memory of Go, process and container, for Prometheus

`

// Exit codes, as every program of go-win-tools has them.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("go-win-probe", flag.ContinueOnError)
	var said bytes.Buffer
	flags.SetOutput(&said)
	flags.Usage = func() {
		fmt.Fprint(&said, usage)
		flags.PrintDefaults()
	}
	listen := flags.String("listen", ":9464", "`address` to answer on: HOST:PORT, or :PORT for every interface")
	sbom := flags.String("sbom", defaultSBOM(), "`file` with the CycloneDX SBOM of this image")
	check := flags.String("check", "", "ask the probe at `URL` instead of being one: exit 0 when it is healthy, 1 when not. For HEALTHCHECK in an image without curl")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			said.WriteTo(stdout)
			return 0
		}
		fmt.Fprintf(stderr, "%v; see go-win-probe -help.\n", err)
		return exitUsage
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "go-win-probe takes options only, found %q; see go-win-probe -help.\n", flags.Arg(0))
		return exitUsage
	}
	isCheck := false
	flags.Visit(func(given *flag.Flag) { isCheck = isCheck || given.Name == "check" })
	if isCheck {
		if err := checkHealth(*check, 5*time.Second); err != nil {
			fmt.Fprintln(stderr, err)
			return exitFailed
		}
		return 0
	}
	if err := serve(*listen, *sbom, stderr); err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailed
	}
	return 0
}

// serve answers until the process is asked to end; then requests that have begun get five seconds.
func serve(address, sbom string, stderr io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w; choose another address with -listen", address, err)
	}
	server := &http.Server{
		Handler:           newHandler(newState(sbom, time.Now, stderr)),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	fmt.Fprintf(stderr, "go-win-probe answers at http://%s/healthz and /metrics\n", listener.Addr())
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
