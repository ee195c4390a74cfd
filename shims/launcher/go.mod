module github.com/go-win-tools/go-win-tools/shims/launcher

go 1.21
