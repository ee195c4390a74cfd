//go:build !windows

package main

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"
)

// A pipe in place of a file must not hold the probe.
func TestPipe(t *testing.T) {
	pipe := filepath.Join(tempDir(t), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	if _, err := readBounded(pipe); !errors.Is(err, errNoFile) {
		t.Error(err)
	}
}
