package grafana

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func wanted() Wanted {
	return Wanted{
		Source: Object{
			"uid": "source", "name": "InfluxDB-InfluxQL", "type": "influxdb", "url": "http://influx:8086",
			"jsonData": Object{"dbName": "telegraf"}, "secureJsonData": Object{},
		},
		Folder: Folder{"folder", "Telegraf anomaly"},
		Boards: []Object{
			{"uid": "fleet", "title": "Anomaly fleet", "version": 1, "schemaVersion": 39, "panels": []any{Object{"id": 1, "value": nil}}},
			{"uid": "host", "title": "Anomaly host", "version": 1, "schemaVersion": 39, "panels": []any{}},
		},
		Message: "test",
	}
}

// results are what became of the data source, the folder and the dashboards.
func results(steps []Step) (list []Result) {
	for _, s := range steps[1:] { // the first is the connection
		list = append(list, s.Result)
	}
	return list
}

func TestSetupCreatesEverythingOnce(t *testing.T) {
	f := newFake()
	c := f.start(t)
	steps := c.Setup(t.Context(), wanted(), false)
	require.Equal(t, []Step{
		{"Grafana " + c.String(), OK, "version 9.3.2"},
		{"data source InfluxDB-InfluxQL", Created, ""},
		{"data source InfluxDB-InfluxQL, asked", OK, "datasource is working. 5 measurements found"},
		{"folder Telegraf anomaly", Created, ""},
		{"dashboard Anomaly fleet", Created, "/d/fleet/fleet"},
		{"dashboard Anomaly host", Created, "/d/host/host"},
	}, steps)
	require.Equal(t, "folder", object(f.boards["fleet"]["meta"])["folderUid"])

	f.calls = nil
	require.Equal(t, []Result{Unchanged, OK, Unchanged, Unchanged, Unchanged}, results(c.Setup(t.Context(), wanted(), false)))
	require.Empty(t, f.calls, "the second time changes nothing")
}

func TestSetupUpdatesWhatDiffersAndKeepsWhatOthersSet(t *testing.T) {
	f := newFake()
	c := f.start(t)
	c.Setup(t.Context(), wanted(), false)
	f.sources["source"]["isDefault"] = true
	f.sources["source"]["jsonData"] = Object{"dbName": "other", "tlsSkipVerify": true}
	object(f.boards["fleet"]["dashboard"])["title"] = "Mine"
	object(f.boards["fleet"]["meta"])["folderUid"] = "" // moved to the root

	require.Equal(t, []Result{Differs, Unchanged, Differs, Unchanged}, results(c.Setup(t.Context(), wanted(), true)))
	require.Equal(t, []Result{Updated, OK, Unchanged, Updated, Unchanged}, results(c.Setup(t.Context(), wanted(), false)))
	require.Equal(t, Object{"dbName": "telegraf", "tlsSkipVerify": true}, f.sources["source"]["jsonData"])
	require.Equal(t, true, f.sources["source"]["isDefault"])
	require.Equal(t, "Anomaly fleet", object(f.boards["fleet"]["dashboard"])["title"])
	require.Equal(t, "", object(f.boards["fleet"]["meta"])["folderUid"], "it stays where it was put")
}

func TestACheckChangesNothing(t *testing.T) {
	f := newFake()
	require.Equal(t, []Result{Missing, Missing, Missing, Missing}, results(f.start(t).Setup(t.Context(), wanted(), true)))
	require.Empty(t, f.calls)
}

// Whether a secret is the right one cannot be seen: it is written each time.
func TestSecretsAreWrittenAgain(t *testing.T) {
	f, w := newFake(), wanted()
	w.Source["secureJsonData"] = Object{"password": "x"}
	c := f.start(t)
	require.Equal(t, Created, c.Setup(t.Context(), w, false)[1].Result)
	require.Equal(t, Step{"data source InfluxDB-InfluxQL", Updated, "its secrets cannot be compared, so they were written again"}, c.Setup(t.Context(), w, false)[1])
	require.Equal(t, Unchanged, c.Setup(t.Context(), w, true)[1].Result)
}

func TestWhatFilesProvisionIsKept(t *testing.T) {
	f := newFake()
	c := f.start(t)
	c.Setup(t.Context(), wanted(), false)
	f.sources["source"]["readOnly"], f.sources["source"]["url"] = true, "http://elsewhere"
	f.boards["fleet"]["meta"] = Object{"provisioned": true, "folderUid": "folder"}
	object(f.boards["fleet"]["dashboard"])["title"] = "Older"
	f.calls = nil
	require.Equal(t, []Result{Kept, OK, Unchanged, Kept, Unchanged}, results(c.Setup(t.Context(), wanted(), false)))
	require.Empty(t, f.calls)
}

func TestConflicts(t *testing.T) {
	f := newFake()
	f.sources["theirs"] = Object{"uid": "theirs", "name": "InfluxDB-InfluxQL"}
	f.folders = []Folder{{"made-by-files", "Telegraf anomaly"}}
	f.boards["theirs"] = Object{"dashboard": Object{"title": "Anomaly fleet"}, "meta": Object{"folderUid": "made-by-files"}}
	steps := f.start(t).Setup(t.Context(), wanted(), false)
	require.Equal(t, Failed, steps[1].Result)
	require.Contains(t, steps[1].Note, "409 Conflict: data source with the same name already exists (rename or remove that one)")
	require.Equal(t, Step{"folder Telegraf anomaly", Unchanged, "one of that name was there"}, steps[2])
	require.Equal(t, Failed, steps[3].Result)
	require.Contains(t, steps[3].Note, "move or rename the other dashboard")
	require.Equal(t, Created, steps[4].Result, "one that fails does not stop the others")
	require.Equal(t, "made-by-files", object(f.boards["host"]["meta"])["folderUid"])
}

func TestRefusals(t *testing.T) {
	for _, set := range []struct {
		name, call string
		code       int
		want       []Result
		note       string
	}{
		{"not allowed to add a source", "POST /api/datasources", http.StatusForbidden, []Result{Failed, Created, Created, Created}, "the role Admin may"},
		{"not allowed to read folders", "GET /api/folders/folder", http.StatusForbidden, []Result{Created, OK, Failed, Created, Created}, "the role Admin may"},
		{"no permission to save", "POST /api/dashboards/db", http.StatusForbidden, []Result{Created, OK, Created, Failed, Failed}, "the role Admin may"},
		{"it breaks", "GET /api/dashboards/uid/fleet", http.StatusInternalServerError, []Result{Created, OK, Created, Failed, Created}, "500"},
	} {
		t.Run(set.name, func(t *testing.T) {
			f := newFake()
			f.refuse[set.call] = set.code
			steps := f.start(t).Setup(t.Context(), wanted(), false)
			require.Equal(t, set.want, results(steps))
			for _, s := range steps {
				require.NotContains(t, s.Note, token)
				if s.Result == Failed {
					require.Contains(t, s.Note, set.note)
				}
			}
		})
	}
}

func TestTheDataSourceIsAsked(t *testing.T) {
	f := newFake()
	f.health = http.StatusNotFound
	require.Contains(t, f.start(t).Setup(t.Context(), wanted(), false)[2].Note, "this Grafana cannot ask it")
	f.health = http.StatusBadRequest
	steps := f.start(t).Setup(t.Context(), wanted(), false)
	require.Equal(t, Failed, steps[2].Result)
	require.Equal(t, Unchanged, steps[4].Result, "the dashboards do not depend on it")
}

func TestTheReportEndsWhereThereIsNoUseInGoingOn(t *testing.T) {
	f := newFake()
	c := f.start(t)
	stranger, err := New(c.String(), "wrong")
	require.NoError(t, err)
	steps := stranger.Setup(t.Context(), wanted(), false)
	require.Len(t, steps, 2)
	require.Contains(t, steps[1].Note, "401 Unauthorized: Invalid API key (set GRAFANA_AUTH")

	f.version = "8.5.27"
	steps = c.Setup(t.Context(), wanted(), false)
	require.Len(t, steps, 1)
	require.Contains(t, steps[0].Note, "version 8.5.27 is too old")

	nobody, err := New("http://127.0.0.1:1", token)
	require.NoError(t, err)
	steps = nobody.Setup(t.Context(), wanted(), false)
	require.Len(t, steps, 1)
	require.Equal(t, Failed, steps[0].Result)
}
