// Command build makes the deb and rpm packages with nothing but Go:
//
//	go run ./packaging/build -version 0.1.0 -arch amd64 -out dist
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// nfpm is the newest version whose modules can all be had from a module proxy.
const nfpm = "github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.44.1"

func main() {
	var b build
	flag.StringVar(&b.version, "version", "0.0.0", "version of the packages and programs")
	flag.StringVar(&b.arch, "arch", runtime.GOARCH, "GOARCH")
	flag.StringVar(&b.out, "out", "dist", "folder for the packages")
	flag.StringVar(&b.maintainer, "maintainer", "telegraf-anomaly maintainers <maintainers@localhost>", "name and address in the packages")
	flag.Parse()
	if err := b.run("deb", "rpm"); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

type build struct{ version, arch, out, maintainer string }

func (b build) run(formats ...string) error {
	bin := filepath.Join(b.out, "linux_"+b.arch)
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	if err := b.compile(bin); err != nil {
		return err
	}
	if err := manuals(bin, b.version); err != nil {
		return err
	}
	for _, format := range formats {
		c := command("go", "run", nfpm, "package", "--config", "packaging/nfpm.yaml", "--packager", format, "--target", b.out)
		c.Env = append(os.Environ(), "ARCH="+b.arch, "VERSION="+b.version, "BIN="+bin, "MAINTAINER="+b.maintainer)
		if err := c.Run(); err != nil {
			return fmt.Errorf("%s: %w", format, err)
		}
	}
	return nil
}

// compile makes programs that need no library of the system they run on.
func (b build) compile(bin string) error {
	c := command("go", "build", "-trimpath", "-ldflags", "-s -w -X main.version="+b.version, "-o", bin+"/", "./cmd/telegraf-anomaly", "./cmd/train")
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+b.arch)
	return c.Run()
}

func command(name string, arguments ...string) *exec.Cmd {
	c := exec.Command(name, arguments...)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	return c
}
