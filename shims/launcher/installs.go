package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// install is a place where the tool may be.
type install struct {
	from    string // scoop, scoop-global, choco, path
	manager string // scoop, choco, path
	exe     string
	version string // "" when nobody says
	home    string // the tool's own folder in the manager: apps\TOOL, lib\TOOL
	shared  string // the manager's folder of shims
	isThere bool
	// global is the root that all users of the machine share, "" for what is the caller's own or named by the policy; real and
	// distrust are what guard found.
	global   string
	real     string
	distrust string
}

// findInstalls looks at every place, in the order that ties are broken (contract section 7; spec scoop 6). A root that is
// not a full path, because a variable is empty, would be found in the working folder: it is no place.
func findInstalls(c config) []install {
	var found []install
	user, global, choco := roots()
	if filepath.IsAbs(user) {
		found = append(found, scoopInstall("scoop", user, c))
		// under another name, too: through a junction, or with short names
		if strings.EqualFold(user, global) || isSameFolder(user, global) {
			found[0].global = user
		}
	}
	if filepath.IsAbs(global) && !strings.EqualFold(user, global) {
		found = append(found, scoopInstall("scoop-global", global, c))
		found[len(found)-1].global = global
	}
	if filepath.IsAbs(choco) {
		found = append(found, chocoInstall(choco, c))
	}
	for _, one := range c.Paths {
		path := expand(one.Path)
		found = append(found, install{
			from: "path", manager: "path", exe: path, version: one.Version, isThere: filepath.IsAbs(path) && isFile(path),
		})
	}
	return found
}

// roots of the managers: the environment, then Scoop's own configuration, then the defaults.
func roots() (user, global, choco string) {
	var settings struct {
		Root   string `json:"root_path"`
		Global string `json:"global_path"`
	}
	home := os.Getenv("XDG_CONFIG_HOME")
	if home == "" {
		home = filepath.Join(os.Getenv("USERPROFILE"), ".config")
	}
	readJSON(filepath.Join(home, "scoop", "config.json"), &settings)
	user = firstOf(os.Getenv("SCOOP"), settings.Root, filepath.Join(os.Getenv("USERPROFILE"), "scoop"))
	global = firstOf(os.Getenv("SCOOP_GLOBAL"), settings.Global, filepath.Join(os.Getenv("ProgramData"), "scoop"))
	choco = firstOf(os.Getenv("ChocolateyInstall"), filepath.Join(os.Getenv("ProgramData"), "chocolatey"))
	return filepath.Clean(user), filepath.Clean(global), filepath.Clean(choco)
}

func scoopInstall(from, root string, c config) install {
	home := filepath.Join(root, "apps", c.App)
	found := install{from: from, manager: "scoop", home: home, shared: filepath.Join(root, "shims")}
	at := filepath.Join(home, "current")
	if !isFile(filepath.Join(at, c.Exe)) {
		at = lastInstalled(home, c.Exe, at)
	}
	found.exe = filepath.Join(at, c.Exe)
	found.isThere = isFile(found.exe)
	var manifest struct {
		Version string `json:"version"`
	}
	// both generations of Scoop (spec scoop 6)
	if !readJSON(filepath.Join(at, "scoop-manifest.json"), &manifest) {
		readJSON(filepath.Join(at, "manifest.json"), &manifest)
	}
	found.version = believable(manifest.Version)
	return found
}

// lastInstalled is what Scoop runs where its no_junction leaves no current: the version whose install.json was written last
// (Scoop lib/versions.ps1; scoop-install.json in its newer generation).
func lastInstalled(home, exe, otherwise string) string {
	entries, _ := os.ReadDir(home)
	last, when := otherwise, time.Time{}
	for _, entry := range entries {
		at := filepath.Join(home, entry.Name())
		// _1.2.0.old is what Scoop puts aside: no version either
		if entry.Name() == "current" || believable(entry.Name()) == "" || !isFile(filepath.Join(at, exe)) {
			continue
		}
		for _, name := range []string{"scoop-install.json", "install.json"} {
			if info, err := os.Stat(filepath.Join(at, name)); err == nil {
				if info.ModTime().After(when) {
					last, when = at, info.ModTime()
				}
				break
			}
		}
	}
	return last
}

func chocoInstall(root string, c config) install {
	home := filepath.Join(root, "lib", c.PackageID)
	exe := filepath.Join(home, "tools", c.Exe)
	bytes, _ := os.ReadFile(filepath.Join(home, c.PackageID+".nuspec"))
	_, rest, _ := strings.Cut(string(bytes), "<version>")
	version, _, _ := strings.Cut(rest, "</version>")
	return install{
		from: "choco", manager: "choco", exe: exe, version: believable(version),
		home: home, shared: filepath.Join(root, "bin"), isThere: isFile(exe), global: root,
	}
}

func readJSON(file string, into any) bool {
	bytes, err := os.ReadFile(file)
	// Windows PowerShell writes a byte order mark
	return err == nil && json.Unmarshal([]byte(strings.TrimPrefix(string(bytes), "\ufeff")), into) == nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// expand fills in a variable at the beginning of a path: %USERPROFILE%\bin\buf.exe.
func expand(path string) string {
	if rest, has := strings.CutPrefix(path, "%"); has {
		if name, tail, ended := strings.Cut(rest, "%"); ended {
			return os.Getenv(name) + tail
		}
	}
	return path
}

func firstOf(words ...string) string {
	for _, word := range words {
		if word != "" {
			return word
		}
	}
	return ""
}
