package main

import "strings"

// system calls of the guard, so that its decision can be tested without a Windows
type filesystem struct {
	caller string
	// security of the very thing named: of a junction its own, not that of what it leads to
	security func(path string) (security, error)
	// resolve gives the path without junctions, links and short names
	resolve func(path string) (string, error)
}

// guard looks at installs below a root that all users of a machine share: there any user may have put a program (contract
// section 7). It notes what may not run, and, where a junction is on the way, the path that was looked at: that one is run, so that
// nothing that is turned elsewhere meanwhile matters.
func guard(installs []install, fs filesystem) {
	for at := range installs {
		one := &installs[at]
		if one.isThere && one.global != "" {
			one.real, one.distrust = inspect(one.exe, one.global, fs)
		}
	}
}

// inspect gives the path to run, or the reason why it must not be run.
func inspect(exe, root string, fs filesystem) (real, why string) {
	real, err := fs.resolve(exe)
	if err != nil {
		return "", exe + " cannot be followed: " + err.Error()
	}
	if why := lookAlong(exe, root, fs); why != "" {
		return "", why
	}
	if strings.EqualFold(real, exe) {
		return exe, ""
	}
	realRoot, err := fs.resolve(root)
	if err != nil {
		return "", root + " cannot be followed: " + err.Error()
	}
	// out of the root: what counts then is the folder of the program
	if !isInside(real, realRoot) {
		realRoot = real[:strings.LastIndex(real, `\`)]
	}
	return real, lookAlong(real, realRoot, fs)
}

// lookAlong asks everything on the way to a file, from its volume down.
func lookAlong(file, root string, fs filesystem) string {
	for at, place := range placesTo(file) {
		rights := uint32(changesIt)
		if at == 0 {
			rights = atVolume
		} else if !isInside(place, root) {
			rights = replacesBelow
		}
		s, err := fs.security(place)
		if err != nil {
			return place + " does not say who may change it: " + err.Error()
		}
		if why := distrusted(s, rights, fs.caller); why != "" {
			return place + " " + why
		}
	}
	return ""
}

// placesTo are the volume, each folder and the file: C:\, C:\ProgramData, ...; of a share \\server\share\ is the first.
func placesTo(file string) []string {
	start := 2
	if strings.HasPrefix(file, `\\`) {
		for slashes := 0; start < len(file) && slashes < 2; start++ {
			if file[start] == '\\' {
				slashes++
			}
		}
		start--
	}
	if start >= len(file) {
		return []string{file}
	}
	places := []string{file[:start+1]}
	for at := start + 1; at < len(file); at++ {
		if file[at] == '\\' {
			places = append(places, file[:at])
		}
	}
	return append(places, file)
}
