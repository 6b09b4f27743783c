package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// manuals writes the man pages, compressed, beside the programs.
func manuals(bin, version string) error {
	page, err := os.ReadFile("packaging/man/telegraf-anomaly.1")
	if err != nil {
		return err
	}
	page = bytes.ReplaceAll(page, []byte("@VERSION@"), []byte(version))
	if err := compress(filepath.Join(bin, "telegraf-anomaly.1.gz"), page); err != nil {
		return err
	}
	text, err := askTrain(version)
	if err != nil {
		return fmt.Errorf("manual of train: %w", err)
	}
	return compress(filepath.Join(bin, "telegraf-anomaly-train.1.gz"), []byte(text))
}

// askTrain makes the page from what the program says of itself, built for this
// machine.
func askTrain(version string) (page string, err error) {
	dir, err := os.MkdirTemp("", "train-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "train")
	if err := command("go", "build", "-o", program, "./cmd/train").Run(); err != nil {
		return "", err
	}
	return trainPage(version, func(arguments ...string) (string, error) {
		out, err := exec.Command(program, arguments...).Output()
		return string(out), err
	})
}

// compress leaves the time out: the same page gives the same bytes.
func compress(name string, page []byte) error {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(page); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(name, b.Bytes(), 0o644)
}

var commandLine = regexp.MustCompile(`(?m)^  ([a-z]+)  `)

// trainPage turns the help of all commands into a manual.
func trainPage(version string, help func(arguments ...string) (string, error)) (string, error) {
	top, err := help("--help")
	if err != nil {
		return "", err
	}
	_, commands, found := strings.Cut(top, "Commands:")
	if !found {
		return "", fmt.Errorf("its help lists no commands")
	}
	var b strings.Builder
	fmt.Fprintf(&b, `.TH TELEGRAF-ANOMALY-TRAIN 1 "" "telegraf-anomaly %s"
.SH NAME
telegraf-anomaly-train \- train, apply and inspect anomaly models
.SH SYNOPSIS
.B telegraf-anomaly-train
.I command
.RI [ flags ]
.SH DESCRIPTION
Results go to stdout, everything for people to stderr. In the texts below the
program is called train.
.SH COMMANDS
`, version)
	for _, m := range commandLine.FindAllStringSubmatch(commands, -1) {
		text, err := help(m[1], "--help")
		if err != nil {
			return "", fmt.Errorf("%s: %w", m[1], err)
		}
		fmt.Fprintf(&b, ".SS %s\n.nf\n%s\n.fi\n", m[1], verbatim(text))
	}
	b.WriteString(`.SH EXIT STATUS
0 done; 1 failure; 2 usage; 3 not enough data; 4 a quality gate failed; 130 interrupted.
.SH SEE ALSO
.BR telegraf-anomaly (1)
`)
	return b.String(), nil
}

// verbatim keeps roff from reading text as its own.
func verbatim(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(strings.TrimSpace(text))
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
