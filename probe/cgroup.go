package main

import (
	"path"
	"strconv"
	"strings"
)

// readFile gives the text of a file; not ok: it is not there, or cannot be read.
type readFile func(name string) (text string, ok bool)

// Beyond this, cgroup v1 means "no limit": it writes the largest multiple of a page.
const noLimit = 1 << 62

// readCgroup reads what the kernel counts for the cgroup of this process, version 2 or 1 (cgroups(7); Linux
// Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/{cpuacct,memory}.rst). A machine that has both, "hybrid", has the
// controllers in version 1.
func readCgroup(read readFile) container {
	own, _ := read("/proc/self/cgroup")
	mounts, _ := read("/proc/self/mountinfo")
	paths := cgroupPaths(own)
	mounted := cgroupMounts(mounts)
	var found container
	if dir, ok := dirOf("", paths, mounted); ok {
		readV2(&found, dir, read)
	}
	if dir, ok := dirOf("cpuacct", paths, mounted); ok {
		found.cpuSeconds = scaled(number(read, dir+"/cpuacct.usage"), 1e-9)
	}
	if dir, ok := dirOf("cpu", paths, mounted); ok {
		readQuotaV1(&found, dir, read)
	}
	if dir, ok := dirOf("memory", paths, mounted); ok {
		found.memory = number(read, dir+"/memory.usage_in_bytes")
		found.memoryLimit = below(number(read, dir+"/memory.limit_in_bytes"), noLimit)
	}
	return found
}

func readV2(found *container, dir string, read readFile) {
	stat := table(read, dir+"/cpu.stat")
	found.cpuSeconds = scaled(stat["usage_usec"], 1e-6)
	found.throttledSeconds = scaled(stat["throttled_usec"], 1e-6)
	if text, ok := read(dir + "/cpu.max"); ok {
		if quota, period, ok := strings.Cut(strings.TrimSpace(text), " "); ok {
			found.cpuLimit = quotient(parse(quota), parse(period))
		}
	}
	found.memory = number(read, dir+"/memory.current")
	found.memoryLimit = below(number(read, dir+"/memory.max"), noLimit)
}

func readQuotaV1(found *container, dir string, read readFile) {
	found.throttledSeconds = scaled(table(read, dir+"/cpu.stat")["throttled_time"], 1e-9)
	// -1: no limit
	found.cpuLimit = quotient(number(read, dir+"/cpu.cfs_quota_us"), number(read, dir+"/cpu.cfs_period_us"))
}

// cgroupPaths gives the path by controller; that of version 2 has no name. Lines are `4:cpu,cpuacct:/docker/ID`.
func cgroupPaths(text string) map[string]string {
	paths := map[string]string{}
	for line := range strings.Lines(text) {
		fields := strings.SplitN(strings.TrimRight(line, "\n"), ":", 3)
		if len(fields) < 3 {
			continue
		}
		for controller := range strings.SplitSeq(fields[1], ",") {
			paths[controller] = fields[2]
		}
	}
	return paths
}

type mount struct{ root, point string }

// cgroupMounts gives the mount by controller from lines such as
// `35 24 0:30 /docker/ID /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory`.
func cgroupMounts(text string) map[string]mount {
	mounted := map[string]mount{}
	for line := range strings.Lines(text) {
		place, kind, ok := strings.Cut(line, " - ")
		if !ok {
			continue
		}
		fields, kinds := strings.Fields(place), strings.Fields(kind)
		if len(fields) < 5 || len(kinds) < 3 {
			continue
		}
		at := mount{root: unescape(fields[3]), point: unescape(fields[4])}
		switch kinds[0] {
		case "cgroup2":
			mounted[""] = at
		case "cgroup":
			for controller := range strings.SplitSeq(kinds[2], ",") {
				mounted[controller] = at
			}
		}
	}
	return mounted
}

// dirOf is the folder of this process's cgroup. A container sees only its own part of the tree: the mount's root is taken off the
// path, and where the path is outside of what is mounted, the mount itself is the container's cgroup.
func dirOf(controller string, paths map[string]string, mounted map[string]mount) (string, bool) {
	at, isMounted := mounted[controller]
	own, isKnown := paths[controller]
	if !isMounted || !isKnown {
		return "", false
	}
	rest, isBelow := strings.CutPrefix(own, strings.TrimSuffix(at.root, "/"))
	if !isBelow || (rest != "" && rest[0] != '/') || strings.Contains(rest, "/../") || strings.HasSuffix(rest, "/..") {
		return path.Clean(at.point), true
	}
	return path.Join(at.point, rest), true
}

// unescape reads `\040` for a blank, as proc(5) writes them.
func unescape(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+3 < len(text) {
			if code, err := strconv.ParseUint(text[i+1:i+4], 8, 8); err == nil {
				out.WriteByte(byte(code))
				i += 3
				continue
			}
		}
		out.WriteByte(text[i])
	}
	return out.String()
}

// table reads lines such as `usage_usec 1234`.
func table(read readFile, file string) map[string]*float64 {
	values := map[string]*float64{}
	text, _ := read(file)
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			values[name] = parse(value)
		}
	}
	return values
}

func number(read readFile, file string) *float64 {
	text, ok := read(file)
	if !ok {
		return nil
	}
	return parse(strings.TrimSpace(text))
}

// parse reads a count; `max`, -1 and what is no number are none.
func parse(text string) *float64 {
	value, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return nil
	}
	found := float64(value)
	return &found
}

func scaled(value *float64, factor float64) *float64 {
	if value == nil {
		return nil
	}
	found := *value * factor
	return &found
}

func below(value *float64, limit float64) *float64 {
	if value == nil || *value >= limit {
		return nil
	}
	return value
}

func quotient(value, by *float64) *float64 {
	if value == nil || by == nil || *by == 0 {
		return nil
	}
	found := *value / *by
	return &found
}
