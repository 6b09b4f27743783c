package grafana

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const token = "glsa_5ecret"

// fake behaves as the handlers of Grafana 9 to 12 do (pkg/api/datasources.go,
// dashboard.go, folder.go and their errors): the same paths, codes and messages.
type fake struct {
	version string
	sources map[string]Object // by uid
	folders []Folder
	boards  map[string]Object // by uid, as GET answers
	calls   []string          // that change something
	refuse  map[string]int    // "METHOD path" to a code of its own
	health  int               // of the data source
	nextID  float64
}

func newFake() *fake {
	return &fake{version: "9.3.2", sources: map[string]Object{}, boards: map[string]Object{}, refuse: map[string]int{}, health: http.StatusOK}
}

func (f *fake) start(t *testing.T) *Client {
	t.Helper()
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	c, err := New(s.URL, token)
	require.NoError(t, err)
	return c
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/api/health" {
		answer(w, http.StatusOK, Object{"database": "ok", "version": f.version, "commit": "21c1d14e91"})
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+token {
		answer(w, http.StatusUnauthorized, Object{"message": "Invalid API key"})
		return
	}
	call := r.Method + " " + r.URL.Path
	if code := f.refuse[call]; code != 0 {
		answer(w, code, Object{"message": "no: " + token})
		return
	}
	body := Object{}
	if r.Method != http.MethodGet {
		f.calls = append(f.calls, call)
		_ = json.NewDecoder(r.Body).Decode(&body)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/datasources/uid/{uid}", func(w http.ResponseWriter, r *http.Request) { f.getSource(w, r.PathValue("uid")) })
	mux.HandleFunc("GET /api/datasources/uid/{uid}/health", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, f.health, Object{"status": "OK", "message": "datasource is working. 5 measurements found"})
	})
	mux.HandleFunc("POST /api/datasources", func(w http.ResponseWriter, _ *http.Request) { f.addSource(w, body) })
	mux.HandleFunc("PUT /api/datasources/uid/{uid}", func(w http.ResponseWriter, r *http.Request) { f.putSource(w, r.PathValue("uid"), body) })
	mux.HandleFunc("GET /api/folders", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, f.folders) })
	mux.HandleFunc("GET /api/folders/{uid}", func(w http.ResponseWriter, r *http.Request) { f.getFolder(w, r.PathValue("uid")) })
	mux.HandleFunc("POST /api/folders", func(w http.ResponseWriter, _ *http.Request) { f.addFolder(w, body) })
	mux.HandleFunc("GET /api/dashboards/uid/{uid}", func(w http.ResponseWriter, r *http.Request) { f.getBoard(w, r.PathValue("uid")) })
	mux.HandleFunc("POST /api/dashboards/db", func(w http.ResponseWriter, _ *http.Request) { f.saveBoard(w, body) })
	mux.ServeHTTP(w, r)
}

func answer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v)
}

func (f *fake) getSource(w http.ResponseWriter, uid string) {
	if f.sources[uid] == nil {
		answer(w, http.StatusNotFound, Object{"message": "Data source not found", "messageId": "datasources.notFound"})
		return
	}
	answer(w, http.StatusOK, f.sources[uid])
}

func (f *fake) addSource(w http.ResponseWriter, body Object) {
	for _, s := range f.sources {
		if s["name"] == body["name"] {
			answer(w, http.StatusConflict, Object{"message": "data source with the same name already exists"})
			return
		}
	}
	f.keepSource(body)
	answer(w, http.StatusOK, Object{"message": "Datasource added", "name": body["name"]})
}

func (f *fake) putSource(w http.ResponseWriter, uid string, body Object) {
	if f.sources[uid]["readOnly"] == true {
		answer(w, http.StatusForbidden, Object{"message": "Cannot update read-only data source"})
		return
	}
	f.keepSource(body)
	answer(w, http.StatusOK, Object{"message": "Datasource updated"})
}

// keepSource keeps a data source as Grafana shows it again: without its secrets.
func (f *fake) keepSource(body Object) {
	f.nextID++
	kept := maps.Clone(body)
	fields := Object{}
	for key := range object(body["secureJsonData"]) {
		fields[key] = true
	}
	delete(kept, "secureJsonData")
	kept["secureJsonFields"], kept["id"], kept["version"], kept["readOnly"] = fields, f.nextID, f.nextID, false
	f.sources[fmt.Sprint(body["uid"])] = kept
}

func (f *fake) getFolder(w http.ResponseWriter, uid string) {
	for _, folder := range f.folders {
		if folder.UID == uid {
			answer(w, http.StatusOK, folder)
			return
		}
	}
	answer(w, http.StatusNotFound, Object{"message": "folder not found", "status": "not-found"})
}

func (f *fake) addFolder(w http.ResponseWriter, body Object) {
	for _, folder := range f.folders {
		if folder.Title == body["title"] {
			answer(w, http.StatusConflict, Object{"message": "a folder with the same name already exists"})
			return
		}
	}
	f.folders = append(f.folders, Folder{fmt.Sprint(body["uid"]), fmt.Sprint(body["title"])})
	answer(w, http.StatusOK, body)
}

func (f *fake) getBoard(w http.ResponseWriter, uid string) {
	if f.boards[uid] == nil {
		answer(w, http.StatusNotFound, Object{"message": "Dashboard not found", "status": "not-found"})
		return
	}
	answer(w, http.StatusOK, f.boards[uid])
}

func (f *fake) saveBoard(w http.ResponseWriter, body Object) {
	board := object(body["dashboard"])
	uid := fmt.Sprint(board["uid"])
	folder := fmt.Sprint(body["folderUid"])
	for other, b := range f.boards {
		if other != uid && object(b["dashboard"])["title"] == board["title"] && object(b["meta"])["folderUid"] == folder {
			answer(w, http.StatusPreconditionFailed, Object{"message": "A dashboard with the same name in the folder already exists", "status": "name-exists"})
			return
		}
	}
	if object(f.boards[uid]["meta"])["provisioned"] == true {
		answer(w, http.StatusBadRequest, Object{"message": "Cannot save provisioned dashboard"})
		return
	}
	if _, err := f.folderOf(folder); err != nil {
		answer(w, http.StatusNotFound, Object{"message": "Folder not found"})
		return
	}
	f.nextID++
	board["id"], board["version"], board["schemaVersion"] = f.nextID, f.nextID, 42
	f.boards[uid] = Object{"dashboard": board, "meta": Object{"folderUid": folder, "provisioned": false}}
	answer(w, http.StatusOK, Object{"status": "success", "uid": uid, "url": "/d/" + uid + "/" + strings.ToLower(uid)})
}

func (f *fake) folderOf(uid string) (Folder, error) {
	for _, folder := range append(f.folders, Folder{}) {
		if folder.UID == uid {
			return folder, nil
		}
	}
	return Folder{}, io.EOF
}
