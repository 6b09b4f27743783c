package influx

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/feature"
)

const fluxHead = "#datatype,dateTime:RFC3339,double,string,string\n,_time,_value,_field,_measurement\n"

const token = "s3cr3t-t0ken"

// client asks a server that handle plays, with credentials of every kind.
func client(t *testing.T, flux bool, handle http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	c, err := New(Config{URL: server.URL, Database: "telegraf", Org: "o", Flux: flux, Token: token, Password: "p4ssw0rd"})
	require.NoError(t, err)
	return c
}

var hour = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

func request() *Request {
	return &Request{Features: feature.DefaultFeatures(), From: hour, To: hour.Add(time.Hour)}
}

// Whatever a server does, it costs bounded time and memory, it ends in an error
// that says what happened, and no credential shows up in it.
func TestHostileServers(t *testing.T) {
	endless := func(begin, piece string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			_, err := io.WriteString(w, begin)
			text := strings.Repeat(piece, 1+(64<<10)/len(piece))
			for err == nil {
				_, err = io.WriteString(w, text)
			}
		}
	}
	answer := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(code)
			_, _ = io.WriteString(w, strings.ReplaceAll(body, "AUTH", r.Header.Get("Authorization")))
		}
	}
	rows := `{"results":[{"series":[{"name":"cpu","columns":["time","usage_idle"],"values":[`
	for _, set := range []struct {
		name   string
		flux   bool
		handle http.HandlerFunc
		want   string
	}{
		{"body without end", false, endless("", "x"), "not an answer|invalid character"},
		{"string without end", false, endless(`{"results":[{"error":"`, "x"), "too large"},
		{"rows without end", false, endless(rows, `[1704067200000000000,1],`), "too large"},
		{"row without end", false, endless(rows+`[`, `1,`), "a row that is none"},
		{"brackets without end", false, endless(`{"other":`, `[`), "brackets without end"},
		{"members without end", false, endless(`{`, `"a":1,`), "object without end"},
		{"documents without end", false, endless("", `{"results":[]}`), "too large"},
		{"flux row without end", true, endless(fluxHead, "x,"), "row without end"},
		{"flux rows without end", true, endless(fluxHead, ",2024-01-01T00:00:00Z,1,usage_idle,cpu\n"), "too large"},
		{"redirect to another scheme", false, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "file:///etc/passwd", 302) }, "redirects to another address"},
		{"redirect to itself", false, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.String(), 307) }, "redirects to another address"},
		{"unauthorized, and echoes what it got", false, answer(401, "bad token AUTH"), "access denied"},
		{"forbidden", true, answer(403, ""), "set INFLUX_TOKEN"},
		{"not found", false, answer(404, "no such AUTH"), "404"},
		{"says that something is wrong", false, answer(200, `{"results":[{"error":"database not found: AUTH"}]}`), "the server says: database not found"},
		{"time of a wrong type", false, answer(200, rows+`["yesterday",1]]}]}]}`), "not a time"},
		{"number for a list", false, answer(200, `{"results":7}`), "not an answer of InfluxDB"},
		{"cells that are lists", false, answer(200, rows+`[[1],2]]}]}]}`), "a row that is none"},
		{"too few cells", false, answer(200, rows+`[1]]}]}]}`), "1 cells for 2 columns"},
		{"cut in the middle", false, answer(200, rows+`[17040`), "EOF"},
		{"a web page", false, answer(200, `<html>hello`), "invalid character"},
		{"a web page for flux", true, answer(200, `<html>hello`), "not an answer of Flux"},
		{"flux error at once", true, answer(200, "#datatype,string,string\n,error,reference\n,no such AUTH,897\n"), "the server says: no such"},
		{"flux error after rows", true, answer(200, fluxHead+",2024-01-01T00:00:00Z,1,usage_idle,cpu\n\nerror,reference\nout of memory,\n"), "the server says: out of memory"},
		{"flux number of a wrong type", true, answer(200, fluxHead+",2024-01-01T00:00:00Z,abc,usage_idle,cpu\n"), "not a number"},
	} {
		t.Run(set.name, func(t *testing.T) {
			c := client(t, set.flux, set.handle)
			ctx, cancel := context.WithTimeout(t.Context(), Patience)
			defer cancel()
			peak := watchHeap(t)
			err := c.Collect(ctx, request(), func([]byte, time.Time) error { return nil })
			require.Error(t, err)
			require.Regexp(t, set.want, err.Error())
			require.NotContains(t, err.Error(), token)
			require.NotContains(t, fmt.Sprintf("%+v %#v", c.config, c.config.Token), token)
			require.Less(t, peak(), uint64(64<<20))
			require.NoError(t, ctx.Err(), "within Patience")
		})
	}
}

// watchHeap returns the most that the heap grew by, up to its call.
func watchHeap(t *testing.T) func() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	base, most := m.HeapAlloc, atomic.Uint64{}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				if m.HeapAlloc > base {
					most.Store(max(most.Load(), m.HeapAlloc-base))
				}
			}
		}
	}()
	t.Cleanup(func() { <-done })
	return func() uint64 { close(stop); return most.Load() }
}

func TestABusyServerIsAskedAgainAndASilentOneIsLeft(t *testing.T) {
	var asked atomic.Int32
	c := client(t, false, func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		_, _ = io.WriteString(w, `{"results":[{}]}`)
	})
	require.NoError(t, c.Collect(t.Context(), request(), func([]byte, time.Time) error { return nil }))

	block := make(chan struct{})
	slow := client(t, false, func(http.ResponseWriter, *http.Request) { <-block })
	t.Cleanup(func() { close(block) }) // before the server closes, which waits for its handlers
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, slow.Collect(ctx, request(), nil), context.DeadlineExceeded)

	down := client(t, false, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	require.ErrorContains(t, down.Collect(t.Context(), request(), nil), "503", "an hour is more than Patience")
}

// Names come from strangers: none of them may end a line or a query.
func TestNamesAreQuoted(t *testing.T) {
	require.Equal(t, `"a\" FROM b; DROP"`, identifier(`a" FROM b; DROP`))
	require.Equal(t, `'it\'s \\'`, literal(`it's \`))
	require.Equal(t, `"\${x} \"y\""`, fluxText(`${x} "y"`))

	c := client(t, false, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.FormValue("q"), `"cpu"`) {
			_, _ = io.WriteString(w, `{"results":[{"series":[{"name":"c p\nu","tags":{"ho=st":"a\nmem used_percent=1 1"},"columns":["time","usage idle"],"values":[[1704067200000000000,1.5]]}]}]}`)
			return
		}
		_, _ = io.WriteString(w, `{"results":[{}]}`)
	})
	var lines []byte
	require.NoError(t, c.Collect(t.Context(), request(), func(b []byte, _ time.Time) error { lines = append(lines, b...); return nil }))
	require.Equal(t, 1, bytes.Count(lines, []byte("\n")))
	require.Equal(t, `c\ p\ u,ho\=st=a\ mem\ used_percent\=1\ 1 usage\ idle=1.5 1704067200000000000`+"\n", string(lines))
}

// An interrupted download goes on where it stopped, and ends with the same bytes.
func TestDownloadResumes(t *testing.T) {
	var broken atomic.Bool
	var asked atomic.Int32
	c := client(t, false, func(w http.ResponseWriter, r *http.Request) {
		if broken.Load() && asked.Add(1) > 4 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		from, to := span(t, r)
		var rows []string
		for at := hour.UnixNano(); at < to; at += int64(time.Hour) {
			if at >= from {
				rows = append(rows, fmt.Sprintf("[%d,1.5]", at))
			}
		}
		fmt.Fprintf(w, `{"results":[{"series":[{"name":"m","columns":["time","v"],"values":[%s]}]}]}`, strings.Join(rows, ","))
	})
	r := request()
	r.To = hour.Add(48 * time.Hour)
	whole, parts := filepath.Join(t.TempDir(), "whole.lp"), filepath.Join(t.TempDir(), "parts.lp")
	_, err := c.Download(t.Context(), r, whole, func(Progress) {})
	require.NoError(t, err)

	broken.Store(true)
	_, err = c.Download(t.Context(), r, parts, func(Progress) {})
	require.ErrorContains(t, err, "400")
	require.NoFileExists(t, parts, "half a record must not look like one")
	broken.Store(false)
	resumed, err := c.Download(t.Context(), r, parts, func(Progress) {})
	require.NoError(t, err)
	require.Positive(t, resumed)
	require.Equal(t, read(t, whole), read(t, parts))
	require.NoFileExists(t, parts+".state")
}

// span is the stretch of time that a query asks for.
func span(t *testing.T, r *http.Request) (from, to int64) {
	_, bounds, _ := strings.Cut(r.FormValue("q"), "time >= ")
	_, err := fmt.Sscanf(bounds, "%d AND time < %d", &from, &to)
	require.NoError(t, err)
	return from, to
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}

// What is too much at once is asked for in smaller pieces.
func TestALargeHourIsHalved(t *testing.T) {
	var shortest atomic.Int64
	shortest.Store(int64(time.Hour))
	c := client(t, false, func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.FormValue("q"), `"cpu"`) {
			_, _ = io.WriteString(w, `{"results":[{}]}`)
			return
		}
		from, to := span(t, r)
		shortest.Store(min(shortest.Load(), to-from))
		var b bytes.Buffer
		b.WriteString(`{"results":[{"series":[{"name":"cpu","tags":{"host":"` + strings.Repeat("h", 60) + `"},"columns":["time","usage_idle"],"values":[`)
		for at := from; at < to; at += int64(20 * time.Millisecond) {
			if at > from {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, "[%d,1]", at)
		}
		b.WriteString(`]}]}]}`)
		_, _ = w.Write(b.Bytes())
	})
	lines := 0
	require.NoError(t, c.Collect(t.Context(), request(), func(b []byte, _ time.Time) error { lines += bytes.Count(b, []byte("\n")); return nil }))
	require.Equal(t, int(time.Hour/(20*time.Millisecond)), lines)
	require.Less(t, shortest.Load(), int64(time.Hour))
}

// What a server says of the types of Flux's columns is believed, and no value is
// taken for a head, whatever it is.
func TestFluxKnowsTypes(t *testing.T) {
	head := "#datatype,string,long,dateTime:RFC3339,KIND,string,string,string\n,result,table,_time,_value,_field,_measurement,host\n"
	for _, set := range []struct{ kind, value, want string }{
		{"double", "1.5", "v=1.5"},
		{"long", "0", "v=0"},
		{"string", "12", `v="12"`},
		{"string", "error", `v="error"`},
		{"string", "_value", `v="_value"`},
		{"string", "", `v=""`},
		{"string", `"two, ""three"""`, `v="two, \"three\""`},
		{"boolean", "true", "v=true"},
		{"double", "", ""},
	} {
		text := strings.Replace(head, "KIND", set.kind, 1) + ",_result,0,2024-01-01T00:00:01Z," + set.value + ",v,m,a\n\n"
		c := client(t, true, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text+text) })
		r := &Request{Extra: []string{"m"}, From: hour, To: hour.Add(time.Minute)}
		require.NoError(t, c.Collect(t.Context(), r, func(lines []byte, _ time.Time) error {
			want := ""
			if set.want != "" {
				want = "m,host=a " + set.want + "," + set.want + " 1704067201000000000\n"
			}
			require.Equal(t, want, string(lines), "%s %s", set.kind, set.value)
			return nil
		}))
	}
}

func TestPlans(t *testing.T) {
	cpu := (&Request{Features: feature.DefaultFeatures()}).sources()
	require.Len(t, cpu, 3)
	from, to := time.Unix(0, 5), time.Unix(0, 9)
	require.Equal(t, `SELECT "usage_idle" FROM "cpu" WHERE time >= 5 AND time < 9 AND "cpu" = 'cpu-total' GROUP BY *`, cpu[0].influxQL(from, to, 0))
	require.Equal(t, `SELECT LAST("bytes_recv") AS "bytes_recv", LAST("bytes_sent") AS "bytes_sent" FROM "net" WHERE time >= 5 AND time < 9 GROUP BY time(10000000000ns), * fill(none)`, cpu[2].influxQL(from, to, 10*time.Second), "the mean of a counter would be no counter")
	require.Equal(t, []string{`from(bucket: "b") |> range(start: 1970-01-01T00:00:00.000000005Z, stop: 1970-01-01T00:00:00.000000009Z) |> filter(fn: (r) => r._measurement == "mem" and (r._field == "used_percent"))`}, cpu[1].flux("b", from, to, 0))
}

func TestNewRefusesBadAddresses(t *testing.T) {
	for _, address := range []string{"", "localhost:8086", "ftp://x", "http://", "http://user:pa ss@h\x7f"} {
		_, err := New(Config{URL: address})
		require.Error(t, err, address)
		require.NotContains(t, err.Error(), "pa ss")
	}
	c, err := New(Config{URL: "http://user:hidden@host:8086/base/?q=1"})
	require.NoError(t, err)
	require.Equal(t, "http://host:8086/base", c.String())
	_, err = New(Config{URL: "http://h", Flux: true})
	require.ErrorContains(t, err, "organisation")
}
