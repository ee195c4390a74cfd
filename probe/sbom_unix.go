//go:build !windows

package main

func defaultSBOM() string { return "/usr/share/sbom/image.cdx.json" }
