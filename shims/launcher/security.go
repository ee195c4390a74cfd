//go:build windows

package main

import (
	"strings"
	"syscall"
	"unsafe"
)

var (
	// one of Windows' KnownDLLs: it comes from system32, whatever lies beside us
	advapi32         = syscall.NewLazyDLL("advapi32.dll")
	getSecurityInfo  = advapi32.NewProc("GetSecurityInfo")
	getFinalPathName = kernel32.NewProc("GetFinalPathNameByHandleW")
)

const (
	openReparse   = 0x00200000
	shareAll      = syscall.FILE_SHARE_READ | syscall.FILE_SHARE_WRITE | syscall.FILE_SHARE_DELETE
	fileObject    = 1
	ownerAndDACL  = 0x1 | 0x4
	longestPath   = 32768
	volumeNameDOS = 0
)

func windowsFiles() filesystem {
	return filesystem{caller: callerSID(), security: readSecurity, resolve: finalPath}
}

// callerSID is "" when it can't be known: nobody is trusted for being the caller then.
func callerSID() string {
	token, err := syscall.OpenCurrentProcessToken()
	if err != nil {
		return ""
	}
	defer token.Close()
	user, err := token.GetTokenUser()
	if err != nil {
		return ""
	}
	sid, err := user.User.Sid.String()
	if err != nil {
		return ""
	}
	return sid
}

func readSecurity(path string) (security, error) {
	handle, err := open(path, readControl, openReparse)
	if err != nil {
		return security{}, err
	}
	defer syscall.CloseHandle(handle)
	var owner *syscall.SID
	var acl, descriptor unsafe.Pointer
	code, _, _ := getSecurityInfo.Call(uintptr(handle), fileObject, ownerAndDACL, uintptr(unsafe.Pointer(&owner)), 0,
		uintptr(unsafe.Pointer(&acl)), 0, uintptr(unsafe.Pointer(&descriptor)))
	if code != 0 {
		return security{}, syscall.Errno(code)
	}
	defer syscall.LocalFree(syscall.Handle(uintptr(descriptor)))
	var read security
	if owner != nil {
		if read.owner, err = owner.String(); err != nil {
			return security{}, err
		}
	}
	if acl != nil {
		// its whole size stands in its head
		size := *(*uint16)(unsafe.Add(acl, 2))
		read.hasList = true
		read.entries, err = readACL(unsafe.Slice((*byte)(acl), int(size)))
	}
	return read, err
}

func finalPath(path string) (string, error) {
	handle, err := open(path, 0, 0)
	if err != nil {
		return "", err
	}
	defer syscall.CloseHandle(handle)
	buffer := make([]uint16, longestPath)
	size, _, err := getFinalPathName.Call(uintptr(handle), uintptr(unsafe.Pointer(&buffer[0])), longestPath, volumeNameDOS)
	if size == 0 || size >= longestPath {
		return "", err
	}
	final := syscall.UTF16ToString(buffer)
	if share, has := strings.CutPrefix(final, `\\?\UNC\`); has {
		return `\\` + share, nil
	}
	return strings.TrimPrefix(final, `\\?\`), nil
}

// open names the thing itself, a folder too.
func open(path string, access, flags uint32) (syscall.Handle, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return 0, err
	}
	return syscall.CreateFile(name, access, shareAll, nil, syscall.OPEN_EXISTING, syscall.FILE_FLAG_BACKUP_SEMANTICS|flags, 0)
}
