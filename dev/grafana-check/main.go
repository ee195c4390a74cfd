// grafana-check reads dashboards as Grafana's own schema has them, strictly: a field that a dashboard, a panel of its type or a query has
// not is an error, and so is a missing one.
//
//	grafana-check FILE...
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	plugins.RegisterDefaultPlugins()
	failed := false
	for _, file := range os.Args[1:] {
		if err := check(file); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", file, err)
			failed = true
		}
	}
	if failed || len(os.Args) < 2 {
		os.Exit(1)
	}
}

func check(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	read := dashboard.Dashboard{}
	if err := read.UnmarshalJSONStrict(text); isProblem(err) {
		return err
	}
	if err := read.Validate(); isProblem(err) {
		return err
	}
	return nil
}

// The package gives an empty list of errors for a dashboard that has none.
func isProblem(err error) bool {
	var list cog.BuildErrors
	return err != nil && !(errors.As(err, &list) && len(list) == 0)
}
