package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// No SBOM and no bundle of certificates comes near; what is larger is something else.
const maxFile = 64 << 20

var (
	errTooLarge = errors.New("is larger than 64 MB")
	errNoFile   = errors.New("is no regular file")
)

// hashSBOM gives `sha256:` and the hash of a CycloneDX file in JSON; fs.ErrNotExist where there is none.
func hashSBOM(file string) (string, error) {
	text, err := readBounded(file)
	if err != nil {
		return "", fmt.Errorf("cannot read the SBOM %s: %w", file, err)
	}
	if err := requireCycloneDX(text); err != nil {
		return "", fmt.Errorf("%s is no SBOM in CycloneDX's JSON: %w", file, err)
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

func requireCycloneDX(text []byte) error {
	var document struct {
		BOMFormat   string `json:"bomFormat"`
		SpecVersion string `json:"specVersion"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return err
	}
	if document.BOMFormat != "CycloneDX" || document.SpecVersion == "" {
		return fmt.Errorf("expected bomFormat CycloneDX and a specVersion, found %.40q and %.20q", document.BOMFormat, document.SpecVersion)
	}
	return nil
}

func readBounded(file string) ([]byte, error) {
	// Opening a pipe would wait for whoever writes into it.
	if found, err := os.Stat(file); err != nil {
		return nil, err
	} else if !found.Mode().IsRegular() {
		return nil, errNoFile
	}
	opened, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	text, err := io.ReadAll(io.LimitReader(opened, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = errTooLarge
	}
	return text, err
}
