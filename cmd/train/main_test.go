package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	for _, name := range []string{"MLFLOW_TRACKING_URI", "INFLUX_HOST", "INFLUX_TOKEN"} {
		_ = os.Unsetenv(name) // the tests name their own servers
	}
	if args := os.Getenv("TRAIN_ARGS"); args != "" { // this very test as the program
		os.Args = append(os.Args[:1], strings.Split(args, "\n")...)
		main()
	}
	testscript.Main(m, map[string]func(){"train": main})
}

// The scripts are the command line's specification.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
		},
	})
}

// exits CODE ARGS... runs train and wants that exit code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	code := 0
	if failed := (*exec.ExitError)(nil); errors.As(ts.Exec("train", args[1:]...), &failed) {
		code = failed.ExitCode()
	}
	if want := args[0]; want != strconv.Itoa(code) {
		ts.Fatalf("exit %d, want %s", code, want)
	}
}

// train runs the program in this process.
func train(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(t.Context(), args, &out, &err)
	return out.String(), err.String(), code
}

// must is train where nothing may go wrong.
func must(t *testing.T, args ...string) string {
	t.Helper()
	out, err, code := train(t, args...)
	require.Zero(t, code, "train %v: %s", args, err)
	return out
}

// mustJSON is must with --json.
func mustJSON(t *testing.T, into any, args ...string) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(must(t, append(args, "--json")...)), into))
}

// record simulates a labelled CSV and returns its path.
func record(t *testing.T, args ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "record.csv")
	must(t, append([]string{"simulate", "-o", file, "--last", "96h", "--per-kind", "1"}, args...)...)
	return file
}

// fitted returns a store with a model of the record.
func fitted(t *testing.T, data string, args ...string) string {
	t.Helper()
	store := filepath.Join(t.TempDir(), "models")
	must(t, append([]string{"fit", "-q", "--data", data, "--model", store}, args...)...)
	return store
}
