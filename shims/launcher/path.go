package main

import "strings"

// childPath is PATH without the folders inside the losing installs; with the strict sandbox also without the losers'
// folders of shims (contract section 7). The order of the rest is kept.
func childPath(path string, c config, installs []install, taken *install) string {
	var gone []string
	for at := range installs {
		one := &installs[at]
		if one == taken || !one.isThere || one.home == "" {
			continue
		}
		gone = append(gone, one.home)
		if c.Sandbox == "strict" && !strings.EqualFold(one.shared, taken.shared) {
			gone = append(gone, one.shared)
		}
	}
	var kept []string
	for _, folder := range strings.Split(path, ";") {
		if !isInAny(folder, gone) {
			kept = append(kept, folder)
		}
	}
	return strings.Join(kept, ";")
}

func isInAny(folder string, parents []string) bool {
	for _, parent := range parents {
		if isInside(folder, parent) {
			return true
		}
	}
	return false
}

// isInside compares as Windows does: in any case, with either slash, quoted or not, with and without one at the end.
func isInside(folder, parent string) bool {
	folder, parent = plain(folder), plain(parent)
	return folder != "" && parent != "" && strings.HasPrefix(folder+`\`, parent+`\`)
}

func plain(folder string) string {
	folder = strings.Trim(strings.TrimSpace(folder), `"`)
	return strings.TrimRight(strings.ToLower(strings.ReplaceAll(folder, "/", `\`)), `\`)
}
