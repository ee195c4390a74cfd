//go:build windows

package main

import (
	"os"
	"os/signal"
	"syscall"
	"unsafe"
)

var (
	kernel32                 = syscall.NewLazyDLL("kernel32.dll")
	createJobObject          = kernel32.NewProc("CreateJobObjectW")
	setInformationJobObject  = kernel32.NewProc("SetInformationJobObject")
	assignProcessToJobObject = kernel32.NewProc("AssignProcessToJobObject")
	resumeThread             = kernel32.NewProc("ResumeThread")
)

const createSuspended = 0x4

// run starts exe with our own command line, streams and console, waits, and gives its exit code, all 32 bits of it.
func run(exe string) int {
	// The child decides about Ctrl-C; we wait for what it does.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt, syscall.SIGTERM)

	application, err := syscall.UTF16FromString(exe)
	if err != nil {
		stop(exitPolicy, "%s cannot be started: its path has a NUL.\n", exe)
	}
	line := append([]uint16{'"'}, application[:len(application)-1]...)
	line = append(append(line, '"'), rawArguments()...)
	// Ours, so that the child sees the title, the state of the window and the further file handles that our caller gave.
	var startup syscall.StartupInfo
	syscall.GetStartupInfo(&startup)
	startup.Flags |= syscall.STARTF_USESTDHANDLES
	startup.StdInput = inheritable(syscall.STD_INPUT_HANDLE)
	startup.StdOutput = inheritable(syscall.STD_OUTPUT_HANDLE)
	startup.StdErr = inheritable(syscall.STD_ERROR_HANDLE)
	var process syscall.ProcessInformation
	err = syscall.CreateProcess(&application[0], &line[0], nil, nil, true,
		createSuspended|syscall.CREATE_UNICODE_ENVIRONMENT, nil, nil, &startup, &process)
	if err != nil {
		stop(exitPolicy, "%s cannot be started: %v\n", exe, err)
	}
	job, _, _ := createJobObject.Call(0, 0)
	limitJob(job, killOnClose|breakawayOK)
	// Not before it runs: what it starts at once is in the job too.
	assignProcessToJobObject.Call(job, uintptr(process.Process))
	resumeThread.Call(uintptr(process.Thread))
	syscall.WaitForSingleObject(process.Process, syscall.INFINITE)
	limitJob(job, 0)
	var code uint32
	if err := syscall.GetExitCodeProcess(process.Process, &code); err != nil {
		stop(exitPolicy, "%s: its exit code is not known: %v\n", exe, err)
	}
	return int(code)
}

// rawArguments is the command line behind the program's own name, as the caller wrote it, with its end: programs parse it
// themselves, each by its own rules, so it is neither split and joined again nor taken for valid Unicode.
func rawArguments() []uint16 {
	line := unsafe.Pointer(syscall.GetCommandLine())
	at := func(index int) uint16 { return *(*uint16)(unsafe.Add(line, 2*index)) }
	begin, isQuoted := 0, false
	for ; at(begin) != 0 && (isQuoted || at(begin) != ' ' && at(begin) != '\t'); begin++ {
		if at(begin) == '"' {
			isQuoted = !isQuoted
		}
	}
	end := begin
	for at(end) != 0 {
		end++
	}
	return unsafe.Slice((*uint16)(unsafe.Add(line, 2*begin)), end+1-begin)
}

func inheritable(which int) syscall.Handle {
	handle, err := syscall.GetStdHandle(which)
	if err == nil && handle != 0 {
		syscall.SetHandleInformation(handle, syscall.HANDLE_FLAG_INHERIT, syscall.HANDLE_FLAG_INHERIT)
	}
	return handle
}

// The job ends the child, and what it started in turn, with us when we are ended by force: it closes with its last handle,
// which is ours. What is started to outlive all of it may leave the job (CREATE_BREAKAWAY_FROM_JOB); and what a child that has
// ended by itself left running goes on, as without a shim: the limits are taken back then (decision 22).
const (
	breakawayOK = 0x800
	killOnClose = 0x2000
)

// limitJob does nothing where there is no job: the child then runs as any other.
func limitJob(job uintptr, flags uint32) {
	const extendedLimitInformation = 9
	// JOBOBJECT_EXTENDED_LIMIT_INFORMATION; all but the flags stays zero.
	var limits struct {
		perProcess, perJob  int64
		flags               uint32
		minimum, maximum    uintptr
		processes           uint32
		affinity            uintptr
		priority, scheduler uint32
		io                  [6]uint64
		memory              [4]uintptr
	}
	limits.flags = flags
	setInformationJobObject.Call(job, extendedLimitInformation, uintptr(unsafe.Pointer(&limits)), unsafe.Sizeof(limits))
}
