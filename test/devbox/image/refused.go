// refused tries what images/seccomp.json, the read-only root and the dropped capabilities refuse, and prints what the kernel says. Each
// system call has arguments with which it would succeed or fail otherwise, were it allowed.
package main

import (
	"encoding/json"
	"os"
	"runtime"
	"strings"
	"syscall"
)

var bpf = map[string]uintptr{"amd64": 321, "arm64": 280}[runtime.GOARCH]

func main() {
	runtime.LockOSThread()
	calls := map[string][4]uintptr{
		"ptrace":  {syscall.SYS_PTRACE, syscall.PTRACE_TRACEME},
		"mount":   {syscall.SYS_MOUNT},
		"setuid":  {syscall.SYS_SETUID, uintptr(os.Getuid())},
		"unshare": {syscall.SYS_UNSHARE, syscall.CLONE_NEWUSER},
		"bpf":     {bpf, 9999},
		"keyctl":  {syscall.SYS_KEYCTL, 0, ^uintptr(2)},
	}
	errnos := map[string]int{}
	for name, call := range calls {
		_, _, errno := syscall.RawSyscall6(call[0], call[1], call[2], call[3], 0, 0, 0)
		errnos[name] = int(errno)
	}
	status, _ := os.ReadFile("/proc/self/status")
	capabilities := "unknown"
	for _, line := range strings.Split(string(status), "\n") {
		if value, found := strings.CutPrefix(line, "CapBnd:"); found {
			capabilities = strings.TrimSpace(value)
		}
	}
	write := "allowed"
	if err := os.WriteFile("/usr/bin/new", nil, 0o644); err != nil {
		write = err.Error()
	}
	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{
		"errnos": errnos, "uid": os.Getuid(), "capabilities": capabilities, "write": write,
	})
}
