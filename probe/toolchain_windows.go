package main

var usualRoots = []string{`C:\Program Files\Go`, `C:\Go`}
