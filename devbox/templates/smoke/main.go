// smoke asks a running service whether it is healthy: the first thing to do after a deployment.
//
//	go run ./smoke http://127.0.0.1:8080
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	"example.com/service/health"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: smoke http://HOST:PORT")
		os.Exit(2)
	}
	if err := ask(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "smoke:", err)
		os.Exit(1)
	}
	fmt.Println("healthy")
}

func ask(url string) error {
	client := http.Client{Timeout: 10 * time.Second}
	response, err := client.Get(url + "/healthz")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var answer health.Answer
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return fmt.Errorf("%s/healthz: %w", url, err)
	}
	if response.StatusCode != http.StatusOK || answer.Status != health.OK {
		return fmt.Errorf("%s/healthz: HTTP %d, status %q", url, response.StatusCode, answer.Status)
	}
	return nil
}
