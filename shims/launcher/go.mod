module github.com/go-win-tools/go-win-tools/shims/launcher

go 1.21

toolchain go1.26.8
