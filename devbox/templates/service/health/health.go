// Package health has the form of what /healthz answers, for the service and for whoever asks it.
package health

// Answer is what `go-win-probe -check`, the health check of the images, reads too.
type Answer struct {
	Status string `json:"status"`
}

// OK is the status of a service that can do its work.
const OK = "ok"
