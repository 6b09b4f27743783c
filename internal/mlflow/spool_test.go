package mlflow

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/atomicfile"
)

func TestSpoolKeepsARunUntilItIsUploaded(t *testing.T) {
	spool := Spool(filepath.Join(t.TempDir(), "new", "spool"))
	report := filepath.Join(t.TempDir(), "report.html")
	require.NoError(t, os.WriteFile(report, []byte("<html>"), 0o600))
	run := sample()
	run.Artifacts[0] = Artifact{Path: "reports/report.html", File: report}

	id, err := spool.Add(run)
	require.NoError(t, err)
	require.Equal(t, run.ID, id)
	require.NoError(t, os.Remove(report), "the spool has a copy")
	require.Equal(t, []string{id}, pending(t, spool))

	f := newFake(t)
	f.answer = func(w http.ResponseWriter, r *http.Request) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	_, _, err = spool.Upload(t.Context(), f.client(t), id)
	require.ErrorContains(t, err, "HTTP 503")
	require.ErrorContains(t, err, "kept in "+filepath.Join(string(spool), id))
	require.Equal(t, []string{id}, pending(t, spool))

	f.answer = nil
	runID, version, err := spool.Upload(t.Context(), f.client(t), id)
	require.NoError(t, err)
	require.Equal(t, "r1", runID)
	require.Equal(t, "1", version)
	require.Empty(t, pending(t, spool))
	entries, err := os.ReadDir(string(spool))
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing but the lock is left")

	direct := newFake(t)
	_, _, err = Upload(t.Context(), direct.client(t), sample())
	require.NoError(t, err)
	require.Equal(t, direct.snapshot(t), f.snapshot(t), "the detour over the disk changes nothing")
}

func pending(t *testing.T, s Spool) []string {
	ids, err := s.Pending()
	require.NoError(t, err)
	return ids
}

func TestPendingIsOldestFirst(t *testing.T) {
	spool := Spool(t.TempDir())
	require.Empty(t, pending(t, spool))
	require.Empty(t, pending(t, spool+"/missing"))
	for _, id := range []string{"b", "c", "a"} {
		_, err := spool.Add(Run{ID: id, Name: id, Start: began})
		require.NoError(t, err)
	}
	require.Equal(t, []string{"a", "b", "c"}, pending(t, spool))
	_, err := Spool(filepath.Join(string(spool), "a", runFile)).Pending()
	require.ErrorContains(t, err, "mlflow: spool")
}

func TestAddLeavesNothingOfARunThatItCannotKeep(t *testing.T) {
	for name, spoil := range map[string]func(*Run){
		"unfit":        func(r *Run) { r.Model.Name = "../x" },
		"missing file": func(r *Run) { r.Artifacts[0] = Artifact{Path: "x", File: "/does/not/exist"} },
		"known id":     func(r *Run) { r.ID = "known" },
	} {
		t.Run(name, func(t *testing.T) {
			spool := Spool(t.TempDir())
			_, err := spool.Add(Run{ID: "known", Name: "known", Start: began})
			require.NoError(t, err)
			run := sample()
			spoil(&run)
			_, err = spool.Add(run)
			require.Error(t, err)
			entries, err := os.ReadDir(string(spool))
			require.NoError(t, err)
			require.Len(t, entries, 1)
		})
	}
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := Spool(file).Add(sample())
	require.ErrorContains(t, err, "mlflow: spool "+file)
}

func TestSpoolIgnoresWhatACrashLeft(t *testing.T) {
	spool := Spool(t.TempDir())
	require.NoError(t, os.Mkdir(filepath.Join(string(spool), ".new-123"), 0o700))
	require.NoError(t, os.Mkdir(filepath.Join(string(spool), ".done-x"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(string(spool), "notes.txt"), nil, 0o600))
	require.Empty(t, pending(t, spool))
}

func TestSpoolRefusesDamagedAndPlantedRuns(t *testing.T) {
	for name, tc := range map[string]struct{ text, problem string }{
		"empty":              {"", "run.json is damaged"},
		"cut":                {`{"id":"upload-1"`, "run.json is damaged"},
		"another run's":      {`{"id":"upload-2"}`, `run.json is that of "upload-2"`},
		"a file of the host": {`{"id":"upload-1","artifacts":[{"path":"x","file":"/etc/passwd"}]}`, `foreign file "/etc/passwd"`},
		"a file above":       {`{"id":"upload-1","artifacts":[{"path":"x","file":"../../x"}]}`, `foreign file "../../x"`},
		"unfit":              {`{"id":"upload-1"}`, "no start time"},
	} {
		t.Run(name, func(t *testing.T) {
			spool := Spool(t.TempDir())
			id, err := spool.Add(sample())
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(string(spool), id, runFile), []byte(tc.text), 0o600))
			f := newFake(t)
			_, _, err = spool.Upload(t.Context(), f.client(t), id)
			require.ErrorContains(t, err, tc.problem)
			require.Empty(t, f.calls)
			require.Equal(t, []string{id}, pending(t, spool), "left for a human")
		})
	}
}

func TestSpoolUploadOfWhatIsNotThere(t *testing.T) {
	spool := Spool(t.TempDir())
	c := testClient(t, Config{})
	_, _, err := spool.Upload(t.Context(), c, "gone")
	require.ErrorIs(t, err, os.ErrNotExist)
	_, _, err = spool.Upload(t.Context(), c, "../gone")
	require.ErrorContains(t, err, "not an id of Spool.Pending")
	_, _, err = (spool + "/none").Upload(t.Context(), c, "gone")
	require.Error(t, err)
}

func TestOneUploaderAtATime(t *testing.T) {
	spool := Spool(t.TempDir())
	id, err := spool.Add(sample())
	require.NoError(t, err)
	unlock, err := atomicfile.Lock(filepath.Join(string(spool), hidden+"lock"))
	require.NoError(t, err)
	_, _, err = spool.Upload(t.Context(), testClient(t, Config{}), id)
	require.ErrorIs(t, err, atomicfile.ErrLocked)
	unlock()
	_, _, err = spool.Upload(t.Context(), newFake(t).client(t), id)
	require.NoError(t, err)
}

func TestInterruptedUploadStaysPending(t *testing.T) {
	spool := Spool(t.TempDir())
	id, err := spool.Add(sample())
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	f := newFake(t)
	f.answer = func(w http.ResponseWriter, r *http.Request) bool {
		if len(f.calls) == 8 {
			cancel()
		}
		return false
	}
	_, _, err = spool.Upload(ctx, f.client(t), id)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, []string{id}, pending(t, spool))
	_, _, err = spool.Upload(t.Context(), f.client(t), id)
	require.NoError(t, err)
	require.Len(t, f.state.Runs, 3)
}
