package mlflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"telegraf-anomaly/internal/atomicfile"
)

const (
	runFile = "run.json"
	hidden  = "." // prefix of names that are no pending run
)

// Spool is a directory of runs that wait for their upload, one directory each: the
// run as run.json beside copies of its artifacts, named 0, 1, …
type Spool string

// Add copies the run with all its artifacts and returns its id. Once Add has
// returned, the run survives a crash, and the original files are not needed.
func (s Spool) Add(run Run) (id string, err error) {
	if run, err = run.clean(); err != nil {
		return "", err
	}
	if err := s.add(&run); err != nil {
		return "", fmt.Errorf("mlflow: spool %s: run %q: %w", s, run.Name, err)
	}
	return run.ID, nil
}

func (s Spool) add(run *Run) error {
	if err := os.MkdirAll(string(s), 0o750); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(string(s), hidden+"new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp) // gone already if all went well
	for i, a := range run.artifacts() {
		if err := a.moveTo(tmp, strconv.Itoa(i)); err != nil {
			return fmt.Errorf("artifact %q: %w", a.Path, err)
		}
	}
	text, err := json.MarshalIndent(run, "", "  ")
	if err != nil {
		return err
	}
	if err := atomicfile.Write(filepath.Join(tmp, runFile), text, 0o640); err != nil {
		return err
	}
	if err := os.Rename(tmp, filepath.Join(string(s), run.ID)); err != nil {
		return err
	}
	return atomicfile.SyncDir(string(s))
}

// moveTo writes the content to the file name in dir and makes that the artifact's.
func (a *Artifact) moveTo(dir, name string) error {
	to, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	err = a.copyTo(to)
	a.File, a.Data = name, nil
	return err
}

// Pending lists the ids of waiting runs, oldest first. A spool that does not exist is empty.
func (s Spool) Pending() ([]string, error) {
	entries, err := os.ReadDir(string(s))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("mlflow: spool: %w", err)
	}
	var ids []string
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), hidden) {
			ids = append(ids, e.Name())
		}
	}
	return ids, nil
}

// Upload sends the pending run id and, on success, removes it from the spool. After
// an error it stays; calling again continues. One process uploads at a time, others
// get [atomicfile.ErrLocked].
func (s Spool) Upload(ctx context.Context, c *Client, id string) (runID, modelVersion string, err error) {
	unlock, err := atomicfile.Lock(filepath.Join(string(s), hidden+"lock"))
	if err != nil {
		return "", "", fmt.Errorf("mlflow: spool %s: %w", s, err)
	}
	defer unlock()
	run, err := s.load(id)
	if err != nil {
		return "", "", fmt.Errorf("mlflow: spool %s: run %s: %w", s, cut(id, maxSnippet), err)
	}
	runID, modelVersion, err = Upload(ctx, c, run)
	if err != nil {
		return runID, modelVersion, fmt.Errorf("%w; kept in %s", err, filepath.Join(string(s), id))
	}
	return runID, modelVersion, s.remove(id)
}

func (s Spool) load(id string) (run Run, err error) {
	if !uploadID.MatchString(id) {
		return run, errors.New("not an id of Spool.Pending")
	}
	dir := filepath.Join(string(s), id)
	text, err := os.ReadFile(filepath.Join(dir, runFile))
	if err != nil {
		return run, err
	}
	if err := json.Unmarshal(text, &run); err != nil {
		return run, fmt.Errorf("%s is damaged: %w", runFile, err)
	}
	if run.ID != id {
		return run, fmt.Errorf("%s is that of %q", runFile, run.ID)
	}
	for i, a := range run.artifacts() {
		if a.File != strconv.Itoa(i) { // a planted name could send any file of this machine
			return run, fmt.Errorf("%s names a foreign file %q", runFile, a.File)
		}
		a.File = filepath.Join(dir, a.File)
	}
	return run, nil
}

// remove hides the directory first: half of it must not look pending.
func (s Spool) remove(id string) error {
	dir, gone := filepath.Join(string(s), id), filepath.Join(string(s), hidden+"done-"+id)
	return errors.Join(os.Rename(dir, gone), os.RemoveAll(gone))
}
