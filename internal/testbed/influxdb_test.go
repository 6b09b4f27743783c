package testbed

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// answering is a server that gives one answer to every query.
func answering(t *testing.T, body string, asked *string) *Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked != nil {
			*asked = r.URL.Path + " " + r.FormValue("db") + " " + r.FormValue("epoch") + " " + r.FormValue("q")
		}
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	return &Server{URL: s.URL}
}

func TestQueryGivesRowsOfAllSeries(t *testing.T) {
	var asked string
	s := answering(t, `{"results":[
		{"series":[
			{"name":"cpu","tags":{"host":"a"},"columns":["time","mean","text"],"values":[[1704067200000000001,12.5,"x"],[1704067201000000000,null,"y"]]},
			{"name":"cpu","tags":{"host":"b"},"columns":["time","mean","text"],"values":[[1704067200000000000,9007199254740993,"z"]]}]},
		{"series":[{"name":"mem","columns":["time"],"values":[[0]]}]}]}`, &asked)
	rows, err := s.Query(t.Context(), "db", "SELECT 1; SELECT 2")
	require.NoError(t, err)
	require.Equal(t, "/query db ns SELECT 1; SELECT 2", asked)
	require.Len(t, rows, 4)

	mean, ok := rows[0].Float("mean")
	require.True(t, ok)
	require.Equal(t, 12.5, mean)
	require.Equal(t, "a", rows[0].Text("host"))
	require.Equal(t, "cpu", rows[0].Text("name"))
	require.Equal(t, time.Date(2024, 1, 1, 0, 0, 0, 1, time.UTC), rows[0].Time().UTC(), "to the nanosecond")

	_, ok = rows[1].Float("mean")
	require.False(t, ok, "null is no number")
	_, ok = rows[1].Float("text")
	require.False(t, ok)
	require.Empty(t, rows[1].Text("mean"))
	require.Equal(t, json.Number("9007199254740993"), rows[2]["mean"], "beyond 2^53 as well")
	require.Equal(t, "mem", rows[3].Text("name"))
}

func TestQueryFails(t *testing.T) {
	for name, test := range map[string]struct{ body, says string }{
		"the request":    {`{"error":"unable to parse authentication credentials"}`, "credentials"},
		"the statement":  {`{"results":[{"error":"database not found: x"}]}`, "database not found"},
		"not InfluxDB":   {`<html>`, "invalid character"},
		"an empty reply": {``, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := answering(t, test.body, nil).Query(t.Context(), "x", "SELECT 1")
			require.ErrorContains(t, err, test.says)
			require.ErrorContains(t, err, "SELECT 1", "the query is named")
		})
	}
	_, err := (&Server{URL: "http://127.0.0.1:1"}).Query(t.Context(), "", "SELECT 1")
	require.ErrorContains(t, err, "refused")
}

func TestFreeAddressesAreFreeDifferentAndLocal(t *testing.T) {
	addresses, err := freeAddresses(5)
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, a := range addresses {
		require.False(t, seen[a])
		seen[a] = true
		l, err := net.Listen("tcp", a)
		require.NoError(t, err)
		require.True(t, l.Addr().(*net.TCPAddr).IP.IsLoopback())
		require.NoError(t, l.Close())
	}
}

func TestInfluxDBThatCannotStart(t *testing.T) {
	_, err := StartInfluxDB(t.Context(), t.TempDir(), t.TempDir())
	require.ErrorContains(t, err, "influxd")
}
