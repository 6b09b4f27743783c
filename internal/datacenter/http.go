package datacenter

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Measurement is the name of the hosts' points.
const Measurement = "system_metrics"

// Content types of GET /metrics.
const (
	typeJSON = "application/json"
	typeLine = "text/plain; charset=utf-8"
)

const bodyLimit = 4096

// example is a stress as /stress takes it.
const example = `{"kind": "cpu", "host": "host0001", "size": 1, "duration": "30s"}`

// Handler serves
//
//	GET  /metrics               the newest reading of every host, as a JSON array (?format=json)
//	GET  /metrics?format=influx the same as line protocol (or by Accept: text/plain)
//	GET  /history               all readings so far, as line protocol
//	POST /stress                {"kind": "cpu", "host": "host0001", "size": 1, "duration": "30s"}
//	GET  /healthz               "ok"
func (c *Center) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", c.serveMetrics)
	mux.HandleFunc("GET /history", c.serveHistory)
	mux.HandleFunc("POST /stress", c.serveStress)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	return mux
}

func (c *Center) serveMetrics(w http.ResponseWriter, r *http.Request) {
	readings := c.Read(time.Now())
	switch format := r.FormValue("format"); {
	case format == "json", format == "" && !strings.HasPrefix(r.Header.Get("Accept"), "text/plain"):
		reply(w, http.StatusOK, readings)
		return
	case format != "" && format != "influx":
		refuse(w, fmt.Errorf("format %q is unknown; use json or influx", format))
		return
	}
	var text []byte
	for _, reading := range readings {
		text = AppendLine(text, reading)
	}
	w.Header().Set("Content-Type", typeLine)
	_, _ = w.Write(text) // the client may have gone
}

func (c *Center) serveHistory(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", typeLine)
	_ = c.History(w, time.Now()) // fails when the client has gone
}

func (c *Center) serveStress(w http.ResponseWriter, r *http.Request) {
	s, err := readStress(http.MaxBytesReader(w, r.Body, bodyLimit))
	if err == nil {
		s, err = c.Add(s, time.Now())
	}
	if err != nil {
		refuse(w, err)
		return
	}
	reply(w, http.StatusAccepted, s)
}

// readStress wants one JSON object and nothing behind it.
func readStress(body io.Reader) (s Stress, err error) {
	decoder := json.NewDecoder(body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&s); err != nil {
		return s, fmt.Errorf("%w; want JSON such as %s", err, example)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return s, fmt.Errorf("there is more than one value; want JSON such as %s", example)
	}
	if !s.From.IsZero() || !s.Until.IsZero() {
		return s, errors.New("from and until are set by the server")
	}
	return s, nil
}

func refuse(w http.ResponseWriter, err error) {
	reply(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", typeJSON)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may have gone
}

// AppendLine adds a reading as a line of line protocol.
func AppendLine(dst []byte, r Reading) []byte {
	dst = append(append(dst, Measurement+",host="...), r.Host...)
	dst = strconv.AppendFloat(append(dst, " cpu="...), r.CPU, 'f', 4, 64)
	dst = strconv.AppendFloat(append(dst, ",memory="...), r.Memory, 'f', 4, 64)
	dst = strconv.AppendFloat(append(dst, ",network="...), r.Network, 'f', 1, 64)
	return append(strconv.AppendInt(append(dst, ' '), r.Time.UnixNano(), 10), '\n')
}
