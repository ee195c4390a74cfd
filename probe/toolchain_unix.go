//go:build !windows

package main

var usualRoots = []string{"/usr/local/go", "/usr/lib/go"}
