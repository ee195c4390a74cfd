package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Exit codes of our own (contract section 7); every other one is the tool's.
const (
	exitPolicy  = 126
	exitMissing = 127
)

// choice is which install runs, or why none does.
type choice struct {
	taken *install
	why   string
	exit  int
	// notes[i] says why installs[i] is out; "" when it is in.
	notes []string
}

// choose is the policy, by values alone.
func choose(c config, installs []install, isShim func(install) bool) choice {
	made := choice{notes: make([]string, len(installs)), exit: exitMissing, why: "it is not installed"}
	var in []*install
	for at := range installs {
		one := &installs[at]
		made.notes[at] = objection(c, *one, isShim)
		if made.notes[at] == "" {
			in = append(in, one)
		} else if one.isThere {
			made.exit, made.why = exitPolicy, "nothing of what is there may run"
		}
	}
	switch {
	case c.Prefer == "pinned":
		for _, one := range in {
			if compareVersions(one.version, c.Pin) == 0 {
				made.taken, made.why = one, "it is the pinned version "+c.Pin
				return made
			}
		}
		if len(in) > 0 {
			made.exit, made.why = exitPolicy, "none is the pinned version "+c.Pin
		}
	case len(in) == 0:
	case c.Prefer == "newest":
		made.taken, made.why = in[0], "it is the newest"
		for _, one := range in[1:] {
			if compareVersions(one.version, made.taken.version) > 0 {
				made.taken = one
			}
		}
	default:
		made.taken, made.why = in[0], "nothing of "+c.Prefer+" is there, and it is the next"
		for _, one := range in {
			if one.manager == c.Prefer {
				made.taken, made.why = one, c.Prefer+" is preferred"
				break
			}
		}
	}
	return made
}

func objection(c config, one install, isShim func(install) bool) string {
	if !one.isThere {
		return "not there"
	}
	for _, word := range c.Deny {
		if word == one.manager || (one.version != "" && compareVersions(word, one.version) == 0) {
			return "denied: " + word
		}
	}
	if isShim(one) {
		return "a shim, not the program itself"
	}
	if one.distrust != "" {
		return "not trusted: " + one.distrust
	}
	return ""
}

// isShimFor tells a shim from a real program, which alone is run: one in a folder of shims, and one with its target beside
// it, as Scoop's have it and ours elsewhere.
func isShimFor(self string, installs []install) func(install) bool {
	return func(one install) bool {
		stem := strings.TrimSuffix(one.exe, filepath.Ext(one.exe))
		if isFile(stem+".shim") || isFile(stem+".shim.json") || isSameFolder(filepath.Dir(one.exe), filepath.Dir(self)) {
			return true
		}
		for _, other := range installs {
			if other.shared != "" && isSameFolder(filepath.Dir(one.exe), other.shared) {
				return true
			}
		}
		return false
	}
}

// isSameFolder also sees through junctions.
func isSameFolder(one, other string) bool {
	a, errA := os.Stat(one)
	b, errB := os.Stat(other)
	return errA == nil && errB == nil && os.SameFile(a, b)
}

// explain is GO_WIN_TOOLS_EXPLAIN=1: what was seen, what is taken and why.
func explain(c config, installs []install, made choice) string {
	lines := []string{fmt.Sprintf("%s: prefer %s, sandbox %s", c.Tool, strings.TrimSpace(c.Prefer+" "+c.Pin), c.Sandbox)}
	for at := range installs {
		one := &installs[at]
		mark, note := " ", made.notes[at]
		if one == made.taken {
			mark, note = ">", made.why
		}
		lines = append(lines, fmt.Sprintf("%s %-12s  %-14s  %s  %s", mark, one.from, firstOf(one.version, "-"), one.exe, note))
	}
	if made.taken == nil {
		lines = append(lines, "Nothing is run: "+made.why+".")
	}
	return strings.Join(lines, "\n") + "\n"
}

// missing tells where was looked and how the tool is installed.
func missing(c config, installs []install, made choice) string {
	lines := []string{fmt.Sprintf("%s: %s. Looked at:", c.Tool, made.why)}
	for at, one := range installs {
		lines = append(lines, fmt.Sprintf("  %-12s  %s  %s", one.from, one.exe, firstOf(made.notes[at], one.version)))
	}
	lines = append(lines, fmt.Sprintf("Install it: choco install %s, or: scoop install go-win-tools/%s", c.PackageID, c.App))
	for _, one := range installs {
		if one.distrust != "" {
			lines = append(lines, howToTrust(one.global)...)
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// howToTrust does not make a program good that a stranger has put there: first it must go.
func howToTrust(root string) []string {
	return []string{
		"Any user of this machine may have put programs into " + root + ". An administrator deletes it when nobody knows what is in it,",
		"or else gives it to administrators alone:",
		fmt.Sprintf(`  icacls "%s" /setowner *%s /T /Q`, root, administrators),
		fmt.Sprintf(`  icacls "%s" /inheritance:r /grant:r *%s:(OI)(CI)F *%s:(OI)(CI)F *S-1-5-32-545:(OI)(CI)RX`, root, administrators, system),
		fmt.Sprintf(`  icacls "%s\*" /reset /T /Q`, root),
	}
}
