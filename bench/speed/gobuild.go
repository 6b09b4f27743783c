package main

import (
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed testdata
var programs embed.FS

// versions of the modules that Go peers are made of.
var versions = map[string]string{
	"gopeer": "github.com/e-XpertSolutions/go-iforest v1.0.0",
	"shim":   "github.com/influxdata/telegraf v1.39.3",
}

// build makes a program of testdata in a module of its own, in cache, so that the
// product's module does not grow by what peers need.
func build(name, cache string) (program string, err error) {
	dir := filepath.Join(cache, name)
	program = filepath.Join(dir, name)
	source, err := programs.ReadFile("testdata/" + name + "/main.go")
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "main.go"), source, 0o600); err != nil {
		return "", err
	}
	module := fmt.Sprintf("module %s\n\ngo 1.26\n", name)
	if versions[name] != "" {
		module += "\nrequire " + versions[name] + "\n"
	}
	if _, err := os.Stat(filepath.Join(dir, "go.sum")); err != nil {
		if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(module), 0o600); err != nil {
			return "", err
		}
	}
	c := exec.Command("go", "build", "-mod=mod", "-trimpath", "-ldflags", "-s -w", "-o", program, ".")
	c.Dir = dir
	if said, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, lastLine(said))
	}
	return program, nil
}
