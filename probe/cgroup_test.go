package main

import (
	"fmt"
	"path"
	"strings"
	"testing"
)

func files(texts map[string]string) readFile {
	return func(name string) (string, bool) {
		text, ok := texts[name]
		return text, ok
	}
}

func pointed(value float64) *float64 { return &value }

func TestReadCgroup(t *testing.T) {
	v2Mount := "30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
	v1Mounts := "33 30 0:28 /docker/4f5e /sys/fs/cgroup/cpu,cpuacct ro,nosuid - cgroup cgroup rw,cpu,cpuacct\n" +
		"36 30 0:31 /docker/4f5e /sys/fs/cgroup/memory ro,nosuid - cgroup cgroup rw,memory\n"
	cases := []struct {
		name  string
		files map[string]string
		want  container
	}{
		{
			"version 2 with limits, in a cgroup namespace",
			map[string]string{
				"/proc/self/cgroup":             "0::/\n",
				"/proc/self/mountinfo":          v2Mount,
				"/sys/fs/cgroup/cpu.stat":       "usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\nnr_periods 7\nthrottled_usec 1500\n",
				"/sys/fs/cgroup/cpu.max":        "150000 100000\n",
				"/sys/fs/cgroup/memory.current": "73400320\n",
				"/sys/fs/cgroup/memory.max":     "268435456\n",
			},
			container{pointed(2.5), pointed(0.0015), pointed(1.5), pointed(73400320), pointed(268435456)},
		},
		{
			"version 2 without limits, on the host",
			map[string]string{
				"/proc/self/cgroup":    "0::/system.slice/probe.service\n",
				"/proc/self/mountinfo": v2Mount,
				"/sys/fs/cgroup/system.slice/probe.service/cpu.stat":       "usage_usec 1000\n",
				"/sys/fs/cgroup/system.slice/probe.service/cpu.max":        "max 100000\n",
				"/sys/fs/cgroup/system.slice/probe.service/memory.current": "4096\n",
				"/sys/fs/cgroup/system.slice/probe.service/memory.max":     "max\n",
			},
			container{cpuSeconds: pointed(0.001), memory: pointed(4096)},
		},
		{
			"version 1 in a container: the path is the host's, the mount is its end",
			map[string]string{
				"/proc/self/cgroup":                             "11:memory:/docker/4f5e\n4:cpu,cpuacct:/docker/4f5e\n1:name=systemd:/docker/4f5e\n0::/\n",
				"/proc/self/mountinfo":                          v1Mounts,
				"/sys/fs/cgroup/cpu,cpuacct/cpuacct.usage":      "3000000000\n",
				"/sys/fs/cgroup/cpu,cpuacct/cpu.stat":           "nr_periods 1\nnr_throttled 1\nthrottled_time 2000000000\n",
				"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us":   "50000\n",
				"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us":  "100000\n",
				"/sys/fs/cgroup/memory/memory.usage_in_bytes":   "8192\n",
				"/sys/fs/cgroup/memory/memory.limit_in_bytes":   "16384\n",
				"/sys/fs/cgroup/docker/4f5e/never.asked.for.it": "",
			},
			container{pointed(3), pointed(2), pointed(0.5), pointed(8192), pointed(16384)},
		},
		{
			"version 1 without limits",
			map[string]string{
				"/proc/self/cgroup":                            "4:cpu,cpuacct:/\n3:memory:/\n",
				"/proc/self/mountinfo":                         strings.ReplaceAll(v1Mounts, "/docker/4f5e", "/"),
				"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us":  "-1\n",
				"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
				"/sys/fs/cgroup/memory/memory.usage_in_bytes":  "8192\n",
				"/sys/fs/cgroup/memory/memory.limit_in_bytes":  "9223372036854771712\n",
			},
			container{memory: pointed(8192)},
		},
		{
			"a path outside of what is mounted, and a blank in the mount",
			map[string]string{
				"/proc/self/cgroup":          "0::/../../other\n",
				"/proc/self/mountinfo":       "30 23 0:26 /pod /sys/fs/my\\040cgroup rw - cgroup2 cgroup2 rw\n",
				"/sys/fs/my cgroup/cpu.stat": "usage_usec 1000000\n",
			},
			container{cpuSeconds: pointed(1)},
		},
		{"no cgroups", map[string]string{}, container{}},
		{
			"nonsense",
			map[string]string{
				"/proc/self/cgroup":             "0:/\n::\n0::/\n",
				"/proc/self/mountinfo":          " - \n - cgroup2 x y\n1 2 3 / /sys/fs/cgroup - cgroup2 a b\n",
				"/sys/fs/cgroup/cpu.stat":       "usage_usec -5\n",
				"/sys/fs/cgroup/cpu.max":        "100000 0\n",
				"/sys/fs/cgroup/memory.current": "99999999999999999999999\n",
			},
			container{},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := readCgroup(files(c.files))
			for _, metric := range containerMetrics {
				found, want := metric.value(got), metric.value(c.want)
				if show(found) != show(want) {
					t.Errorf("%s: found %s, want %s", metric.desc, show(found), show(want))
				}
			}
		})
	}
}

func show(value *float64) string {
	if value == nil {
		return "none"
	}
	return fmt.Sprintf("%.6f", *value)
}

// Whatever a kernel writes: no panic, no value below zero, and no file outside of what is mounted.
func FuzzReadCgroup(f *testing.F) {
	f.Add("0::/a/b\n", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "usage_usec 1\n", "max 100000")
	f.Add("4:cpu,cpuacct:/x\n3:memory:/..\n", "33 30 0:28 /x /m rw - cgroup cgroup rw,cpu,cpuacct,memory\n", "throttled_time 9\n", "-1")
	f.Add("0::/../..\n", "30 23 0:26 /p /sys\\040fs rw - cgroup2 a b\n", "\n", "1 1")
	f.Fuzz(func(t *testing.T, own, mounts, stat, count string) {
		mounted := cgroupMounts(mounts)
		isBelowAMount := func(name string) bool {
			for _, at := range mounted {
				if strings.HasPrefix(name, path.Clean(at.point)) {
					return true
				}
			}
			return false
		}
		found := readCgroup(func(name string) (string, bool) {
			switch {
			case name == "/proc/self/cgroup":
				return own, true
			case name == "/proc/self/mountinfo":
				return mounts, true
			case !isBelowAMount(name):
				t.Errorf("%q is outside of every mount", name)
			case strings.HasSuffix(name, ".stat"):
				return stat, true
			}
			return count, true
		})
		for _, metric := range containerMetrics {
			if value := metric.value(found); value != nil && *value < 0 {
				t.Errorf("%s is %v", metric.desc, *value)
			}
		}
	})
}
