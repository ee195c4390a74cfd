package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// checkHealth asks another probe; the error says in a sentence that it is not healthy, or does not answer.
func checkHealth(url string, patience time.Duration) error {
	client := http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		// The probe of this machine is not behind its proxy.
		Transport: &http.Transport{DisableKeepAlives: true},
	}
	response, err := client.Get(url)
	if err != nil {
		return fmt.Errorf("no healthy answer: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("no healthy answer from %s: expected status 200, found %d", url, response.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil {
		return fmt.Errorf("no healthy answer from %s: %w", url, err)
	}
	var answer health
	if err := json.Unmarshal(text, &answer); err != nil || answer.Status == "" {
		return fmt.Errorf("no healthy answer from %s: expected the JSON of /healthz, found %.60q", url, text)
	}
	if answer.Status != "ok" {
		return fmt.Errorf("the probe is %.20q: it cannot read its SBOM or its certificates; its own log says why", answer.Status)
	}
	return nil
}
