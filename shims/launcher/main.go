//go:build windows

// The native form of a PATH-priority shim: NAME.exe decides between the Chocolatey and the Scoop install of a tool and
// becomes it. One binary for all tools, so that a scanner or an AppLocker rule needs one hash; what it launches stands in
// NAME.shim.json beside it.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Nested calls are legitimate (goreleaser calls git, git calls goreleaser's hook); a circle is not.
const maxDepth = 64

func main() {
	self, err := os.Executable()
	if err != nil {
		stop(exitPolicy, "The shim does not know where it lies: %v\n", err)
	}
	c, err := readConfig(self)
	if err != nil {
		stop(exitPolicy, "%s cannot be used: %v\n", configFile(self), err)
	}
	depth, _ := strconv.Atoi(os.Getenv("GO_WIN_TOOLS_DEPTH"))
	if depth >= maxDepth {
		stop(exitPolicy, "%s: shims have called each other %d times; something leads in circles.\n", c.Tool, depth)
	}
	os.Setenv("GO_WIN_TOOLS_DEPTH", strconv.Itoa(depth+1))
	isExplained := os.Getenv("GO_WIN_TOOLS_EXPLAIN") == "1"
	if os.Getenv("GO_WIN_TOOLS_BYPASS") == "1" && !isExplained {
		os.Exit(bypass(self, c))
	}
	installs := findInstalls(c)
	guard(installs, windowsFiles())
	made := choose(c, installs, isShimFor(self, installs))
	if isExplained {
		fmt.Fprint(os.Stderr, explain(c, installs, made))
		if made.taken == nil {
			os.Exit(made.exit)
		}
		return
	}
	if made.taken == nil {
		stop(made.exit, "%s", missing(c, installs, made))
	}
	os.Setenv("PATH", childPath(os.Getenv("PATH"), c, installs, made.taken))
	os.Exit(run(firstOf(made.taken.real, made.taken.exe)))
}

// bypass runs what PATH would have run without us, except from a working folder.
func bypass(self string, c config) int {
	for _, folder := range strings.Split(os.Getenv("PATH"), ";") {
		folder = strings.Trim(folder, `"`)
		if !filepath.IsAbs(folder) || isSameFolder(folder, filepath.Dir(self)) {
			continue
		}
		// another folder of shims would come back to us
		if exe := filepath.Join(folder, filepath.Base(self)); isFile(exe) && !isFile(configFile(exe)) {
			return run(exe)
		}
	}
	stop(exitMissing, "%s: GO_WIN_TOOLS_BYPASS is set, and PATH has no other %s.\n", c.Tool, filepath.Base(self))
	return exitMissing
}

func stop(code int, format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, format, arguments...)
	os.Exit(code)
}
