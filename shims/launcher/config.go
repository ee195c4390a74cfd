package main

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
)

// config is what one command's shim was told when it was made: NAME.shim.json beside NAME.exe (shims/exe-form.ts).
// Nothing else decides: no file in a working folder or a checkout is ever looked at.
type config struct {
	Schema    int      `json:"schema"`
	Tool      string   `json:"tool"`
	Exe       string   `json:"exe"`       // dlv.exe
	App       string   `json:"app"`       // Scoop's name
	PackageID string   `json:"packageId"` // Chocolatey's
	Prefer    string   `json:"prefer"`    // scoop, choco, newest, pinned
	Pin       string   `json:"pin"`
	Sandbox   string   `json:"sandbox"` // default, strict
	Deny      []string `json:"deny"`    // managers and versions
	Paths     []struct {
		Path    string `json:"path"`
		Version string `json:"version"`
	} `json:"paths"`
}

func readConfig(self string) (config, error) {
	var read config
	bytes, err := os.ReadFile(configFile(self))
	if err != nil {
		return read, err
	}
	if err := json.Unmarshal(bytes, &read); err != nil {
		return read, err
	}
	if read.Schema != 1 || read.Exe == "" {
		return read, errors.New("it is not of schema 1; make the shims again")
	}
	return read, nil
}

// configFile is buf.shim.json for buf.exe, whatever case the name was typed in.
func configFile(self string) string {
	if at := len(self) - len(".exe"); at > 0 && strings.EqualFold(self[at:], ".exe") {
		self = self[:at]
	}
	return self + ".shim.json"
}
