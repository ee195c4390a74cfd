//go:build ignore

// sbom writes what an image consists of, as CycloneDX 1.6: every Go program in it with its modules and toolchain, every other file with
// its hash. What an image has besides that folder follows as NAME@sha256:HASH: an installer that ran in it, or its base. It names neither
// date nor serial number, so that the same image has the same SBOM.
//
//	go run sbom.go FOLDER [NAME@sha256:HASH ...] >image.cdx.json
package main

import (
	"cmp"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

type component struct {
	Type    string `json:"type"`
	Ref     string `json:"bom-ref"`
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	PURL    string `json:"purl,omitempty"`
	Hashes  []hash `json:"hashes,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn,omitempty"`
}

type bom struct {
	Format       string               `json:"bomFormat"`
	SpecVersion  string               `json:"specVersion"`
	Version      int                  `json:"version"`
	Metadata     map[string]component `json:"metadata"`
	Components   []component          `json:"components"`
	Dependencies []dependency         `json:"dependencies"`
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: go run sbom.go FOLDER [NAME@sha256:HASH ...]")
		os.Exit(2)
	}
	said, err := describe(os.Args[1], os.Args[2:])
	if err == nil {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(said)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func describe(root string, others []string) (*bom, error) {
	image := component{Type: "container", Ref: "image", Name: "image"}
	said := &bom{Format: "CycloneDX", SpecVersion: "1.6", Version: 1, Metadata: map[string]component{"component": image}}
	parts := dependency{Ref: image.Ref}
	seen := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(text)
		name := strings.TrimPrefix(filepath.ToSlash(path), strings.TrimSuffix(filepath.ToSlash(root), "/"))
		file := component{Type: "file", Ref: name, Name: name, Hashes: []hash{{"SHA-256", hex.EncodeToString(sum[:])}}}
		said.Components = append(said.Components, file)
		parts.DependsOn = append(parts.DependsOn, file.Ref)

		uses := dependency{Ref: file.Ref}
		// What is no Go program has an error here.
		if info, err := buildinfo.ReadFile(path); err == nil {
			for _, module := range modules(info) {
				uses.DependsOn = append(uses.DependsOn, module.Ref)
				if !seen[module.Ref] {
					seen[module.Ref] = true
					said.Components = append(said.Components, module)
				}
			}
			slices.Sort(uses.DependsOn)
		}
		said.Dependencies = append(said.Dependencies, uses)
		return nil
	})
	for _, one := range others {
		other := besides(one)
		said.Components = append(said.Components, other)
		said.Dependencies = append(said.Dependencies, dependency{Ref: other.Ref})
		parts.DependsOn = append(parts.DependsOn, other.Ref)
	}
	slices.Sort(parts.DependsOn)
	said.Dependencies = append(said.Dependencies, parts)
	slices.SortFunc(said.Components, func(a, b component) int { return cmp.Compare(a.Ref, b.Ref) })
	slices.SortFunc(said.Dependencies, func(a, b dependency) int { return cmp.Compare(a.Ref, b.Ref) })
	return said, err
}

// besides is a file or, by the slash in its name, an image. One that is named without a digest has no hash.
func besides(name string) component {
	other := component{Type: "file", Ref: name}
	if strings.Contains(name, "/") {
		other.Type = "container"
	}
	var digest string
	other.Name, digest, _ = strings.Cut(name, "@sha256:")
	if digest != "" {
		other.Hashes = []hash{{"SHA-256", digest}}
	}
	return other
}

// modules are those of the program, the one it is of first, and Go's standard library under the name that scanners know.
func modules(info *buildinfo.BuildInfo) []component {
	goVersion, _, _ := strings.Cut(strings.TrimPrefix(info.GoVersion, "go"), " ")
	found := []component{library("stdlib", goVersion)}
	if info.Main.Path != "" {
		found = append(found, library(info.Main.Path, released(info.Main.Version)))
	}
	for _, module := range info.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		found = append(found, library(module.Path, module.Version))
	}
	return found
}

// released is the version of a module, none for one that was built from a folder.
func released(version string) string {
	if version == "(devel)" {
		return ""
	}
	return version
}

func library(path, version string) component {
	purl := "pkg:golang/" + path
	if version != "" {
		purl += "@" + strings.ReplaceAll(version, "+", "%2B")
	}
	return component{Type: "library", Ref: purl, Name: path, Version: version, PURL: purl}
}
