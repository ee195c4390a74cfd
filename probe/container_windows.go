package main

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// Information classes of QueryInformationJobObject (winnt.h JOBOBJECTINFOCLASS).
const (
	jobAccounting  = 1
	jobExtended    = 9
	jobCPURate     = 15
	jobMemoryUsage = 28

	jobMemoryLimit = 0x200
	// JOB_OBJECT_CPU_RATE_CONTROL_ENABLE and _HARD_CAP
	hardCap = 0x1 | 0x4
)

type accounting struct {
	// In units of 100 ns.
	userTime, kernelTime             int64
	periodUserTime, periodKernelTime int64
	pageFaults, processes            uint32
	active, terminated               uint32
}

type memoryUsage struct{ memory, peak uint64 }

type cpuRate struct{ flags, rate uint32 }

// readContainer reads the job object of this process; a container of Windows is one. What a Windows does not know is absent.
func readContainer() container {
	var found container
	var times accounting
	if query(jobAccounting, &times) {
		seconds := float64(times.userTime+times.kernelTime) / 1e7
		found.cpuSeconds = &seconds
	}
	var used memoryUsage
	if query(jobMemoryUsage, &used) {
		bytes := float64(used.memory)
		found.memory = &bytes
	}
	var limits windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	if query(jobExtended, &limits) && limits.BasicLimitInformation.LimitFlags&jobMemoryLimit != 0 {
		bytes := float64(limits.JobMemoryLimit)
		found.memoryLimit = &bytes
	}
	var rate cpuRate
	if query(jobCPURate, &rate) && rate.flags&hardCap == hardCap {
		// In hundredths of a percent of all processors.
		cores := float64(rate.rate) / 1e4 * float64(windows.GetActiveProcessorCount(windows.ALL_PROCESSOR_GROUPS))
		found.cpuLimit = &cores
	}
	return found
}

// query asks about the job of this process (handle 0). False in no job, or where this Windows does not know the class.
func query[T any](class int32, into *T) bool {
	var length uint32
	err := windows.QueryInformationJobObject(0, class, uintptr(unsafe.Pointer(into)), uint32(unsafe.Sizeof(*into)), &length)
	return err == nil
}
