package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// pythonPeers are the classes of testdata/peer.py with the packages they need.
// What their packages forget to ask for is named here. Each has an environment
// of its own, since they do not agree on versions.
var pythonPeers = []struct {
	who, class string
	packages   []string
}{
	{sklearn, "ScikitLearn", []string{"scikit-learn", "shap"}},
	{isotree, "Isotree", []string{"isotree", "numpy", "pandas", "scipy"}},
	{fastTreeSHAP, "FastTreeSHAP", []string{"fasttreeshap-fixed", "scikit-learn", "numba", "slicer", "cloudpickle", "tqdm", "pandas"}},
}

// errNoPython is why Python's rows are missing on a machine without it.
var errNoPython = errors.New("no Python")

// python makes the Python peers. interpreter "" means python3; their packages go
// to folders in cache, once.
func python(interpreter, cache, script string) (peers []*peer) {
	for _, p := range pythonPeers {
		own, err := environment(interpreter, filepath.Join(cache, strings.ToLower(p.class)), p.packages)
		peers = append(peers, &peer{who: p.who, command: []string{own, script, p.class}, why: err})
	}
	return peers
}

// environment returns the interpreter of a virtual environment with packages,
// which is made if need be.
func environment(interpreter, dir string, packages []string) (string, error) {
	if interpreter == "" {
		interpreter = "python3"
	}
	if _, err := exec.LookPath(interpreter); err != nil {
		return "", errNoPython
	}
	own, done := filepath.Join(dir, "bin", "python"), filepath.Join(dir, "packages.txt")
	if text, err := os.ReadFile(done); err == nil && string(text) == strings.Join(packages, " ") {
		return own, nil
	}
	fmt.Printf("installing %s (once)\n", strings.Join(packages, ", "))
	if said, err := exec.Command(interpreter, "-m", "venv", dir).CombinedOutput(); err != nil {
		return "", fmt.Errorf("python -m venv: %w: %s", err, lastLine(said))
	}
	install := exec.Command(own, append([]string{"-m", "pip", "install", "--quiet", "--disable-pip-version-check"}, packages...)...)
	if said, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("pip install: %w: %s", err, lastLine(said))
	}
	return own, os.WriteFile(done, []byte(strings.Join(packages, " ")), 0o600)
}

func lastLine(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[len(lines)-1]
}
