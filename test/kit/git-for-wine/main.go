// git.exe for a Windows program under wine: the git of Linux does the work, at the address in C:\git-address.txt (git-for-wine.ts).
package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

func main() {
	code, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "git for wine:", err)
		code = 127
	}
	os.Exit(code)
}

func run() (int, error) {
	address, err := os.ReadFile(`C:\git-address.txt`)
	if err != nil {
		return 0, err
	}
	connection, err := net.Dial("tcp", strings.TrimSpace(string(address)))
	if err != nil {
		return 0, err
	}
	folder, err := os.Getwd()
	if err != nil {
		return 0, err
	}
	call, err := json.Marshal(map[string]any{"args": os.Args[1:], "env": os.Environ(), "cwd": folder})
	if err != nil {
		return 0, err
	}
	if err := send(connection, 'c', call); err != nil {
		return 0, err
	}
	go sendInput(connection)
	for {
		kind, bytes, err := receive(connection)
		if err != nil {
			return 0, err
		}
		switch kind {
		case 'o':
			os.Stdout.Write(bytes)
		case 'e':
			os.Stderr.Write(bytes)
		case 'x':
			return int(bytes[0]), nil
		}
	}
}

// An empty piece is the end.
func sendInput(connection io.Writer) {
	piece := make([]byte, 65536)
	for {
		count, err := os.Stdin.Read(piece)
		if count > 0 && send(connection, 'i', piece[:count]) != nil {
			return
		}
		if err != nil {
			send(connection, 'i', nil)
			return
		}
	}
}

func send(connection io.Writer, kind byte, bytes []byte) error {
	head := append([]byte{kind}, binary.BigEndian.AppendUint32(nil, uint32(len(bytes)))...)
	_, err := connection.Write(append(head, bytes...))
	return err
}

func receive(connection io.Reader) (byte, []byte, error) {
	head := make([]byte, 5)
	if _, err := io.ReadFull(connection, head); err != nil {
		return 0, nil, err
	}
	bytes := make([]byte, binary.BigEndian.Uint32(head[1:]))
	_, err := io.ReadFull(connection, bytes)
	return head[0], bytes, err
}
