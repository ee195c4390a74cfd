//go:build !windows

package main

func readContainer() container {
	return readCgroup(func(name string) (string, bool) {
		text, err := readBounded(name)
		return string(text), err == nil
	})
}
