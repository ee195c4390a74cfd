package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Of the machine's trusted roots. The store of the current user, which the probe opens, has them all.
func systemCertificates() ([]time.Time, error) {
	name, err := windows.UTF16PtrFromString("ROOT")
	if err != nil {
		return nil, err
	}
	store, err := windows.CertOpenSystemStore(0, name)
	if err != nil {
		return nil, fmt.Errorf("cannot open the certificate store ROOT: %w", err)
	}
	defer windows.CertCloseStore(store, 0)
	var ends []time.Time
	var context *windows.CertContext
	for {
		context, err = windows.CertEnumCertificatesInStore(store, context)
		if context == nil {
			if err != nil && !errors.Is(err, windows.Errno(windows.CRYPT_E_NOT_FOUND)) {
				return ends, fmt.Errorf("cannot read the certificate store ROOT: %w", err)
			}
			return ends, nil
		}
		der := make([]byte, context.Length)
		copy(der, unsafe.Slice(context.EncodedCert, context.Length))
		if certificate, err := x509.ParseCertificate(der); err == nil {
			ends = append(ends, certificate.NotAfter)
		}
	}
}
