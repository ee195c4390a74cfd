package main

import (
	"strconv"
	"strings"
)

// longestVersion is more than any tool has; the scripts' lines have an end.
const longestVersion = 128

// believable is the version that a file of an install or a folder's name says, "" when it is not written as versions are:
// 0-9, A-Z, a-z, dot, plus and hyphen, a digit or a letter first. Anybody may have written the file.
func believable(version string) string {
	for at := 0; at < len(version); at++ {
		one := version[at]
		isWord := '0' <= one && one <= '9' || 'A' <= one && one <= 'Z' || 'a' <= one && one <= 'z'
		if !isWord && (at == 0 || one != '.' && one != '+' && one != '-') || at >= longestVersion {
			return ""
		}
	}
	return version
}

// compareVersions orders what both managers call a version: numbers of any count, then what comes before a release.
// 1.22.0-beta.10 > 1.22.0-beta.2, 1.22.0 > 1.22.0-beta.1, 1.22.0.1 > 1.22.0; no version at all is the oldest.
func compareVersions(a, b string) int {
	if a == "" || b == "" {
		return len(a) - len(b)
	}
	numbersA, beforeA := splitVersion(a)
	numbersB, beforeB := splitVersion(b)
	if order := compareWords(numbersA, numbersB, "0"); order != 0 {
		return order
	}
	if len(beforeA) == 0 || len(beforeB) == 0 {
		return len(beforeB) - len(beforeA)
	}
	return compareWords(beforeA, beforeB, "")
}

func splitVersion(version string) (numbers, before []string) {
	version, _, _ = strings.Cut(strings.ToLower(version), "+")
	release, rest, has := strings.Cut(version, "-")
	if has {
		before = strings.Split(rest, ".")
	}
	return strings.Split(release, "."), before
}

// compareWords takes numbers as numbers and below words; where one side has ended, missing stands in for it.
func compareWords(a, b []string, missing string) int {
	for at := 0; at < len(a) || at < len(b); at++ {
		if order := compareWord(wordAt(a, at, missing), wordAt(b, at, missing)); order != 0 {
			return order
		}
	}
	return 0
}

func wordAt(words []string, at int, missing string) string {
	if at < len(words) {
		return words[at]
	}
	return missing
}

func compareWord(a, b string) int {
	numberA, errA := strconv.ParseUint(a, 10, 64)
	numberB, errB := strconv.ParseUint(b, 10, 64)
	switch {
	case errA == nil && errB == nil && numberA != numberB:
		if numberA < numberB {
			return -1
		}
		return 1
	case errA == nil && errB == nil:
		return 0
	case a == "" || b == "":
		return len(a) - len(b)
	case errA == nil:
		return -1
	case errB == nil:
		return 1
	}
	return strings.Compare(a, b)
}
