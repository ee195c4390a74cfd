package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

var versionLine = regexp.MustCompile(`^go\d+(\.\d+){0,2}((rc|beta)\d+)?$`)

// installedGo is the version of the Go toolchain of this image, else of the Go that made the probe. It reads VERSION in Go's folder:
// a probe starts nothing, since an image without a shell may forbid that, and a developer's `go` may be a script.
func installedGo() string {
	for _, root := range goRoots() {
		if found := readGoVersion(filepath.Join(root, "VERSION")); found != "" {
			return found
		}
	}
	return runtime.Version()
}

func goRoots() []string {
	var roots []string
	if root := os.Getenv("GOROOT"); root != "" {
		roots = append(roots, root)
	}
	if program, err := exec.LookPath("go"); err == nil {
		// Debian's /usr/bin/go is a link into /usr/lib/go-1.26/bin.
		if real, err := filepath.EvalSymlinks(program); err == nil {
			roots = append(roots, filepath.Dir(filepath.Dir(real)))
		}
	}
	return append(roots, usualRoots...)
}

func readGoVersion(file string) string {
	text, err := readBounded(file)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	line = strings.TrimSpace(line)
	if !versionLine.MatchString(line) {
		return ""
	}
	return line
}
