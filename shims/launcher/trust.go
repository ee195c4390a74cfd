package main

import (
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
)

// security is who owns a file or folder and who may do what with it.
type security struct {
	owner string
	// hasList is false for a NULL DACL: everybody may do everything.
	hasList bool
	entries []entry
}

// entry is one of its access control entries.
type entry struct {
	kind, flags byte
	mask        uint32
	sid         string
}

const (
	administrators   = "S-1-5-32-544"
	system           = "S-1-5-18"
	trustedInstaller = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
)

// nobody has these in a token: CREATOR OWNER and CREATOR GROUP stand for whoever makes something below, OWNER RIGHTS for the
// owner, who is looked at by himself.
var placeholders = []string{"S-1-3-0", "S-1-3-1", "S-1-3-4"}

var names = map[string]string{
	"S-1-1-0": "Everyone", "S-1-5-4": "Interactive", "S-1-5-7": "Anonymous", "S-1-5-11": "Authenticated Users",
	"S-1-5-32-545": "Users", "S-1-5-32-546": "Guests",
}

// Rights to a file or folder (winnt.h); DELETE and the rest up to GENERIC_WRITE are those of every object.
const (
	writeData, appendData, writeEA        = 0x2, 0x4, 0x10
	deleteChild, writeAttributes          = 0x40, 0x100
	deleteIt, writeDAC, writeOwner        = 0x10000, 0x40000, 0x80000
	readControl                           = 0x20000
	genericAll, genericWrite              = 0x10000000, 0x40000000
	takesOver                      uint32 = deleteChild | writeDAC | writeOwner | genericAll
)

// What others may not have: of what is run and the folders around it, everything that changes them (with the right to write
// attributes a junction is turned elsewhere); of the folders above, what replaces these. That Users may make folders in
// C:\ProgramData replaces nothing. A volume's own folder can't be deleted, whatever is granted.
const (
	changesIt     = takesOver | deleteIt | genericWrite | writeData | appendData | writeEA | writeAttributes
	replacesBelow = takesOver | deleteIt
	atVolume      = takesOver
)

const (
	inheritOnly = 0x8
	// kinds of entries: ACCESS_ALLOWED and its callback, then ACCESS_DENIED and its like, which give nobody a right
	allowed, allowedCallback = 0, 9
)

// distrusted says who besides administrators and the caller has one of the rights; "" when nobody has. What the caller alone
// can write gives nobody but the caller a say.
func distrusted(s security, rights uint32, caller string) string {
	isTrusted := func(sid string) bool {
		return sid == administrators || sid == system || sid == trustedInstaller || (sid == caller && caller != "")
	}
	if !isTrusted(s.owner) {
		return "belongs to " + nameOf(s.owner)
	}
	if !s.hasList {
		return "can be changed by Everyone"
	}
	for _, one := range s.entries {
		if one.flags&inheritOnly != 0 || isDenial(one.kind) || isTrusted(one.sid) || isIn(one.sid, placeholders) {
			continue
		}
		if one.kind != allowed && one.kind != allowedCallback {
			return "has an access entry of kind " + strconv.Itoa(int(one.kind))
		}
		if one.mask&rights != 0 {
			return "can be changed by " + nameOf(one.sid)
		}
	}
	return ""
}

func isDenial(kind byte) bool {
	return kind == 1 || kind == 6 || kind == 10 || kind == 12
}

func nameOf(sid string) string {
	if name, has := names[sid]; has {
		return name
	}
	return firstOf(sid, "nobody known")
}

func isIn(word string, words []string) bool {
	for _, one := range words {
		if one == word {
			return true
		}
	}
	return false
}

var errACL = errors.New("its access list cannot be read")

// readACL reads the bytes of an ACL (MS-DTYP 2.4.5): a head of 8 bytes, then entries of their own size.
func readACL(acl []byte) ([]entry, error) {
	if len(acl) < 8 {
		return nil, errACL
	}
	count, rest := int(binary.LittleEndian.Uint16(acl[4:])), acl[8:]
	var entries []entry
	for ; count > 0; count-- {
		if len(rest) < 8 {
			return nil, errACL
		}
		size := int(binary.LittleEndian.Uint16(rest[2:]))
		if size < 8 || size > len(rest) {
			return nil, errACL
		}
		one := entry{kind: rest[0], flags: rest[1], mask: binary.LittleEndian.Uint32(rest[4:])}
		if one.kind == allowed || one.kind == allowedCallback {
			sid, err := readSID(rest[8:size])
			if err != nil {
				return nil, err
			}
			one.sid = sid
		}
		entries, rest = append(entries, one), rest[size:]
	}
	return entries, nil
}

// readSID writes a SID as people do: S-1-5-32-544 (MS-DTYP 2.4.2).
func readSID(bytes []byte) (string, error) {
	if len(bytes) < 8 || len(bytes) < 8+4*int(bytes[1]) {
		return "", errACL
	}
	var authority uint64
	for _, one := range bytes[2:8] {
		authority = authority<<8 | uint64(one)
	}
	words := []string{"S", strconv.Itoa(int(bytes[0])), strconv.FormatUint(authority, 10)}
	for at := 0; at < int(bytes[1]); at++ {
		words = append(words, strconv.FormatUint(uint64(binary.LittleEndian.Uint32(bytes[8+4*at:])), 10))
	}
	return strings.Join(words, "-"), nil
}
