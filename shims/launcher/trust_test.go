package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

const me = "S-1-5-21-1-2-3-1001"

// table is testdata/trust.json, which the scripts' forms are held to, too (test/shims/trust.test.ts).
type table struct {
	Caller, Root, Exe string
	// access lists as Get-Acl and icacls write them, by path; "" of Usual is every other path's
	Usual map[string]string
	Cases []struct {
		Name        string
		Says, Links map[string]string
		// the place that is the reason
		Refused string
	}
}

func readTable(t *testing.T) table {
	var read table
	bytes, err := os.ReadFile("testdata/trust.json")
	if err == nil {
		err = json.Unmarshal(bytes, &read)
	}
	if err != nil || len(read.Cases) < 50 {
		t.Fatal(err, len(read.Cases))
	}
	return read
}

func TestInspect(t *testing.T) {
	read := readTable(t)
	for _, one := range read.Cases {
		fs := filesystem{
			caller: read.Caller,
			security: func(path string) (security, error) {
				for _, says := range []map[string]string{one.Says, read.Usual} {
					if sddl, has := says[path]; has {
						if sddl == "" {
							return security{}, errors.New("access is denied")
						}
						return parse(sddl), nil
					}
				}
				return parse(read.Usual[""]), nil
			},
			resolve: func(path string) (string, error) {
				for from, to := range one.Links {
					if isInside(path, from) {
						return to + path[len(from):], nil
					}
				}
				return path, nil
			},
		}
		real, why := inspect(read.Exe, read.Root, fs)
		if one.Refused != "" && !strings.HasPrefix(why, one.Refused+" ") {
			t.Errorf("%s: %q", one.Name, why)
		}
		if want, _ := fs.resolve(read.Exe); one.Refused == "" && (real != want || why != "") {
			t.Errorf("%s: %q, %q", one.Name, real, why)
		}
	}
}

// What the scripts can't see: the list of a junction itself.
func TestTheJunctionItself(t *testing.T) {
	says := map[string]string{`C:\r\current`: "O:BAG:BAD:(A;;0x100;;;BU)"}
	fs := filesystem{
		caller: me,
		security: func(path string) (security, error) {
			return parse(firstOf(says[path], "O:BAG:BAD:")), nil
		},
		resolve: func(path string) (string, error) { return strings.Replace(path, "current", "1.0", 1), nil },
	}
	if _, why := inspect(`C:\r\current\buf.exe`, `C:\r`, fs); why != `C:\r\current can be changed by Users` {
		t.Error(why)
	}
}

func TestNobodyIsTrustedForAnUnknownCaller(t *testing.T) {
	if distrusted(security{hasList: true}, changesIt, "") == "" {
		t.Error("no owner and no caller are not the same one")
	}
}

func TestGuardLooksAtSharedRootsAlone(t *testing.T) {
	open := filesystem{
		security: func(string) (security, error) { return security{owner: administrators}, nil },
		resolve:  func(path string) (string, error) { return path, nil },
	}
	installs := []install{{isThere: true, exe: `C:\a.exe`}, {isThere: true, exe: `C:\a.exe`, global: `C:\`}, {exe: `C:\a.exe`, global: `C:\`}}
	guard(installs, open)
	for at, want := range []bool{false, true, false} {
		if (installs[at].distrust != "") != want {
			t.Errorf("%d: %q", at, installs[at].distrust)
		}
	}
	made := choose(config{Prefer: "newest"}, installs[1:2], func(install) bool { return false })
	if made.taken != nil || made.exit != exitPolicy || made.notes[0] != `not trusted: C:\ can be changed by Everyone` {
		t.Errorf("%+v", made)
	}
	if told := missing(config{}, installs[1:2], made); !strings.Contains(told, `icacls "C:\" /setowner *S-1-5-32-544`) {
		t.Error(told)
	}
}

func TestPlacesTo(t *testing.T) {
	cases := map[string][]string{
		`C:\a\b.exe`:           {`C:\`, `C:\a`, `C:\a\b.exe`},
		`\\host\share\a\b.exe`: {`\\host\share\`, `\\host\share\a`, `\\host\share\a\b.exe`},
		`\\?\C:\a\b.exe`:       {`\\?\C:\`, `\\?\C:\a`, `\\?\C:\a\b.exe`},
	}
	for file, want := range cases {
		if got := placesTo(file); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q", file, got)
		}
	}
}

func TestReadACL(t *testing.T) {
	const sddl = "O:BAG:BAD:(A;OICI;FA;;;SY)(A;OICI;0x1200a9;;;BU)(D;;GA;;;WD)(A;OICIIO;GA;;;CO)"
	want := parse(sddl).entries
	for at := range want {
		if isDenial(want[at].kind) {
			want[at].sid = ""
		}
	}
	acl := bytesOf(parse(sddl).entries)
	got, err := readACL(acl)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	for size := 0; size < len(acl); size++ {
		if _, err := readACL(acl[:size]); err == nil {
			t.Errorf("%d of %d bytes are no list", size, len(acl))
		}
	}
	none := append([]byte{}, acl...)
	none[10], none[11] = 0, 0
	if _, err := readACL(none); err == nil {
		t.Error("an entry of no size is no entry")
	}
}

func TestBelievable(t *testing.T) {
	for _, version := range []string{"1", "1.22.0", "v1.2", "1.0.0-beta.10+Build-7", strings.Repeat("1", 128)} {
		if believable(version) != version {
			t.Errorf("%q is a version", version)
		}
	}
	for _, version := range []string{"", " 1", "1 ", "1.0&calc", "%PATH%", `1"`, "1\n", "1\r", "\ufeff1", "1^", "1|2", "1<2", "1!x!", "1_2",
		"1\x00", "1/2", "\u0661", "-1", ".", "+", strings.Repeat("1", 129)} {
		if believable(version) != "" {
			t.Errorf("%q is no version", version)
		}
	}
}

var rightsOf = map[string]uint32{
	"FA": 0x1f01ff, "GA": genericAll, "GW": genericWrite, "GR": 0x80000000, "GX": 0x20000000, "FR": 0x120089, "FW": 0x120116, "FX": 0x1200a0, "RC": readControl, "SD": deleteIt, "WD": writeDAC, "WO": writeOwner,
	"CC": 0x1, "DC": 0x2, "LC": 0x4, "SW": 0x8, "RP": 0x10, "WP": 0x20, "DT": 0x40, "LO": 0x80, "CR": 0x100,
}

var sidsOf = map[string]string{
	"BA": administrators, "SY": system, "BU": "S-1-5-32-545", "AU": "S-1-5-11", "WD": "S-1-1-0",
	"CO": "S-1-3-0", "CG": "S-1-3-1", "OW": "S-1-3-4",
}

var kindsOf = map[string]byte{"A": 0, "D": 1, "OA": 5, "XA": 9}
var flagsOf = map[string]byte{"OI": 1, "CI": 2, "NP": 4, "IO": 8, "ID": 0x10}

// parse reads the owner and the list out of SDDL.
func parse(sddl string) security {
	var made security
	owner, rest, _ := strings.Cut(strings.TrimPrefix(sddl, "O:"), "G:")
	_, list, has := strings.Cut(rest, "D:")
	made.owner, made.hasList = sidOf(owner), has && list != "NO_ACCESS_CONTROL"
	for _, text := range strings.Split(list, "(")[1:] {
		words := strings.FieldsFunc(text, func(one rune) bool { return one == ')' })
		words = strings.Split(words[0], ";")
		if len(words) < 6 {
			continue
		}
		one := entry{kind: kindsOf[words[0]], sid: sidOf(words[5])}
		for flags := words[1]; flags != ""; flags = flags[2:] {
			one.flags |= flagsOf[flags[:2]]
		}
		if number, err := strconv.ParseUint(words[2], 0, 32); err == nil {
			one.mask = uint32(number)
		} else {
			for rights := words[2]; rights != ""; rights = rights[2:] {
				one.mask |= rightsOf[rights[:2]]
			}
		}
		made.entries = append(made.entries, one)
	}
	return made
}

func sidOf(word string) string {
	if sid, has := sidsOf[word]; has {
		return sid
	}
	return word
}

// bytesOf writes the list as Windows has it.
func bytesOf(entries []entry) []byte {
	acl := []byte{2, 0, 0, 0, byte(len(entries)), 0, 0, 0}
	for _, one := range entries {
		words := strings.Split(one.sid, "-")[2:]
		sid := []byte{1, byte(len(words) - 1), 0, 0, 0, 0, 0, words[0][0] - '0'}
		for _, word := range words[1:] {
			number, _ := strconv.ParseUint(word, 10, 32)
			sid = binary.LittleEndian.AppendUint32(sid, uint32(number))
		}
		acl = append(acl, one.kind, one.flags, byte(8+len(sid)), 0)
		acl = append(binary.LittleEndian.AppendUint32(acl, one.mask), sid...)
	}
	binary.LittleEndian.PutUint16(acl[2:], uint16(len(acl)))
	return acl
}
