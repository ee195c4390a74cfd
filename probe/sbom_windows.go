package main

import (
	"os"
	"path/filepath"
)

func defaultSBOM() string {
	return filepath.Join(os.Getenv("ProgramData"), "go-win-tools", "image.cdx.json")
}
