package demo

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/datacenter"
	"telegraf-anomaly/internal/drill"
	"telegraf-anomaly/internal/testbed"
)

func TestNextTakesLinesAsTheTestModePrintsThem(t *testing.T) {
	var text strings.Builder
	for i := range batchLines + 10 {
		fmt.Fprintf(&text, "> m v=%d\n", i)
		if i%100 == 0 {
			text.WriteString("> anomaly_processor lines=1i\n")
		}
	}
	past := bufio.NewScanner(strings.NewReader(text.String()))
	batch, n := next(past)
	require.Equal(t, batchLines, n)
	require.True(t, strings.HasPrefix(string(batch), "m v=0\nm v=1\n"))
	batch, n = next(past)
	require.Equal(t, 10, n)
	require.NotContains(t, string(batch), "anomaly_processor")
	_, n = next(past)
	require.Zero(t, n)
}

// The stack is built of the example's own files: what they say is what runs.
func TestTheExampleNamesWhatIsRelocated(t *testing.T) {
	root, err := testbed.Root()
	require.NoError(t, err)
	s := &Stack{options: Options{Root: root, Dir: t.TempDir()}}
	require.NoError(t, s.relocate("anomaly.conf", "/var/lib/telegraf/anomaly", s.path("state")))
	text, err := os.ReadFile(s.path("anomaly.conf"))
	require.NoError(t, err)
	require.Contains(t, string(text), s.path("state"))
	require.ErrorContains(t, s.relocate("anomaly.conf", "/nowhere", "x"), `anomaly.conf: testbed: the configuration does not mention "/nowhere"`)
	require.Error(t, s.relocate("absent.conf"))
}

func TestTheScenarioNamesHostsOfTheDataCentre(t *testing.T) {
	root, err := testbed.Root()
	require.NoError(t, err)
	text, err := os.ReadFile(filepath.Join(root, "examples/datacenter/scenario.toml"))
	require.NoError(t, err)
	scenario, err := drill.Parse(string(text))
	require.NoError(t, err)
	center, err := datacenter.New(DefaultCenter, time.Now())
	require.NoError(t, err)
	seen := map[datacenter.Kind]bool{}
	for _, f := range scenario.Faults {
		require.Contains(t, center.Names(), f.Host)
		seen[f.Kind] = true
	}
	for _, k := range datacenter.Kinds() {
		require.True(t, seen[k], "%s is not part of the demo", k)
	}
	require.Less(t, len(scenario.Faults), len(center.Names()), "some hosts must stay calm, to show that they are")
}

func TestWriteTellsWhatInfluxDBRefuses(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "field type conflict", http.StatusBadRequest)
	}))
	defer server.Close()
	s := &Stack{DB: &testbed.Server{URL: server.URL}}
	require.ErrorContains(t, s.write(t.Context(), strings.NewReader("m v=1")), "400 Bad Request: field type conflict")
}

func TestStartRefusesACenterWithoutHosts(t *testing.T) {
	_, err := Start(t.Context(), Options{Dir: filepath.Join(t.TempDir(), "run")})
	require.ErrorContains(t, err, "at least one host")
}
