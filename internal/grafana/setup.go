package grafana

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// oldest is the first Grafana that shows the dashboards: their schema is 39.
const oldest = 9

// Object is JSON as Grafana has it. It may hold more than is wanted.
type Object = map[string]any

// Wanted is what a Grafana shall hold. Every object has its uid.
type Wanted struct {
	Source  Object // as POST /api/datasources takes it
	Folder  Folder
	Boards  []Object // classic dashboards
	Message string   // what the history of a dashboard says of a change
}

// Folder holds the dashboards.
type Folder struct {
	UID   string `json:"uid"`
	Title string `json:"title"`
}

// A Result says what became of an object.
type Result string

// The results. The last three are failures.
const (
	OK        Result = "ok"        // of what is only looked at
	Created   Result = "created"   //
	Updated   Result = "updated"   //
	Unchanged Result = "unchanged" // was as it is wanted
	Kept      Result = "kept"      // comes from a file, and only that may change it
	Missing   Result = "missing"   // seen by a check
	Differs   Result = "differs"   // seen by a check
	Failed    Result = "failed"    //
)

// Good reports whether r is none of the failures.
func (r Result) Good() bool { return r != Missing && r != Differs && r != Failed }

// A Step is one line of the report.
type Step struct {
	What   string `json:"what"`
	Result Result `json:"result"`
	Note   string `json:"note,omitempty"`
}

// setup is a run under way.
type setup struct {
	*Client
	ctx   context.Context
	check bool // only look
	steps []Step
	lost  bool // there is no use in going on
}

// Setup makes Grafana hold what is wanted, or, to check, only looks whether it
// does. It reports on every object, in the order in which it went; where Grafana
// cannot be talked to, the report ends.
func (c *Client) Setup(ctx context.Context, w Wanted, check bool) []Step {
	s := &setup{Client: c, ctx: ctx, check: check}
	s.connect()
	s.source(w.Source)
	folder := s.folder(w.Folder)
	for _, b := range w.Boards {
		s.board(b, folder, w.Message)
	}
	return s.steps
}

func (s *setup) say(what string, r Result, note string) {
	s.steps = append(s.steps, Step{what, r, note})
}

// fail reports an error, with what to do about it.
func (s *setup) fail(what string, err error) {
	note := err.Error()
	switch status(err) {
	case 0: // no answer, or none of Grafana's
		s.lost = true
	case http.StatusUnauthorized:
		s.lost = true
		note += " (set GRAFANA_AUTH to the token of a service account, or to user:password)"
	case http.StatusForbidden:
		note += " (these credentials may not do that: the role Admin may)"
	}
	s.say(what, Failed, note)
}

func (s *setup) connect() {
	what := "Grafana " + s.String()
	var health struct{ Version, Database string }
	if err := s.call(s.ctx, http.MethodGet, "/api/health", nil, &health); err != nil {
		s.fail(what, err)
		s.lost = true
		return
	}
	major, _, _ := strings.Cut(health.Version, ".")
	if n, err := strconv.Atoi(major); err == nil && n < oldest {
		s.say(what, Failed, fmt.Sprintf("version %s is too old for the dashboards, which want %d", health.Version, oldest))
		s.lost = true
		return
	}
	s.say(what, OK, strings.TrimSpace("version "+health.Version))
}

func (s *setup) source(wanted Object) {
	if s.lost {
		return
	}
	what, path := fmt.Sprintf("data source %v", wanted["name"]), "/api/datasources/uid/"+url.PathEscape(fmt.Sprint(wanted["uid"]))
	there := Object{}
	switch err := s.call(s.ctx, http.MethodGet, path, nil, &there); {
	case status(err) == http.StatusNotFound:
		s.create(what, "/api/datasources", wanted)
	case err != nil:
		s.fail(what, err)
		return
	case there["readOnly"] == true:
		s.say(what, Kept, "it is provisioned by a file")
	default:
		s.update(what, path, there, wanted)
	}
	if s.steps[len(s.steps)-1].Result.Good() {
		s.ask(what+", asked", path)
	}
}

func (s *setup) create(what, path string, wanted Object) {
	if s.check {
		s.say(what, Missing, "")
		return
	}
	if err := s.call(s.ctx, http.MethodPost, path, wanted, nil); err != nil {
		if status(err) == http.StatusConflict {
			err = fmt.Errorf("%w (rename or remove that one)", err)
		}
		s.fail(what, err)
		return
	}
	s.say(what, Created, "")
}

// secrets are what Grafana keeps to itself: whether they differ cannot be seen.
const secrets = "secureJsonData"

func (s *setup) update(what, path string, there, wanted Object) {
	visible := maps.Clone(wanted)
	delete(visible, secrets)
	same := within(visible, there)
	hidden := len(object(wanted[secrets])) > 0
	switch {
	case same && (s.check || !hidden):
		s.say(what, Unchanged, "")
		return
	case s.check:
		s.say(what, Differs, "")
		return
	}
	if err := s.call(s.ctx, http.MethodPut, path, over(wanted, there), nil); err != nil {
		s.fail(what, err)
		return
	}
	note := ""
	if same {
		note = "its secrets cannot be compared, so they were written again"
	}
	s.say(what, Updated, note)
}

// ask has Grafana ask the data source.
func (s *setup) ask(what, path string) {
	var health struct{ Status, Message string }
	switch err := s.call(s.ctx, http.MethodGet, path+"/health", nil, &health); {
	case status(err) == http.StatusNotFound || status(err) == http.StatusNotImplemented:
		s.say(what, OK, "this Grafana cannot ask it; a dashboard will")
	case err != nil:
		s.fail(what, err)
		s.lost = false
	default:
		s.say(what, OK, health.Message)
	}
}

// folder returns the uid of the folder that has the wanted title, "" without one.
func (s *setup) folder(wanted Folder) (uid string) {
	if s.lost {
		return ""
	}
	what, there := "folder "+wanted.Title, Folder{}
	err := s.call(s.ctx, http.MethodGet, "/api/folders/"+url.PathEscape(wanted.UID), nil, &there)
	if err == nil {
		s.say(what, Unchanged, "")
		return wanted.UID
	}
	if status(err) != http.StatusNotFound {
		s.fail(what, err)
		return ""
	}
	if uid, err = s.folderCalled(wanted.Title); err == nil && uid != "" {
		s.say(what, Unchanged, "one of that name was there")
		return uid
	}
	if s.check {
		s.say(what, Missing, "")
		return ""
	}
	if err := s.call(s.ctx, http.MethodPost, "/api/folders", wanted, nil); err != nil {
		s.fail(what, err)
		return ""
	}
	s.say(what, Created, "")
	return wanted.UID
}

// folderCalled finds a folder by its title: files of dashboards make it under a
// uid of their own, and a second one of that name would be refused.
func (s *setup) folderCalled(title string) (uid string, err error) {
	var all []Folder
	if err := s.call(s.ctx, http.MethodGet, "/api/folders", nil, &all); err != nil {
		return "", err
	}
	for _, f := range all {
		if f.Title == title {
			return f.UID, nil
		}
	}
	return "", nil
}

func (s *setup) board(wanted Object, folder, message string) {
	if s.lost {
		return
	}
	what := fmt.Sprintf("dashboard %v", wanted["title"])
	var there struct {
		Dashboard Object
		Meta      struct {
			Provisioned bool
			FolderUID   string
		}
	}
	err := s.call(s.ctx, http.MethodGet, "/api/dashboards/uid/"+url.PathEscape(fmt.Sprint(wanted["uid"])), nil, &there)
	absent := status(err) == http.StatusNotFound
	content := maps.Clone(wanted)
	maps.DeleteFunc(content, func(key string, _ any) bool { return key == "version" || key == "schemaVersion" }) // Grafana counts them itself
	switch {
	case err != nil && !absent:
		s.fail(what, err)
	case there.Meta.Provisioned:
		s.say(what, Kept, "it is provisioned by a file")
	case !absent && within(content, there.Dashboard):
		s.say(what, Unchanged, "")
	case s.check && absent:
		s.say(what, Missing, "")
	case s.check:
		s.say(what, Differs, "")
	default:
		if !absent {
			folder = there.Meta.FolderUID // where somebody has moved it
		}
		s.save(what, wanted, folder, message, absent)
	}
}

func (s *setup) save(what string, board Object, folder, message string, absent bool) {
	body := Object{"dashboard": board, "folderUid": folder, "message": message, "overwrite": true}
	var saved struct{ URL string }
	err := s.call(s.ctx, http.MethodPost, "/api/dashboards/db", body, &saved)
	var refusal *Error
	if errors.As(err, &refusal) && refusal.Status == http.StatusPreconditionFailed {
		err = fmt.Errorf("%w (move or rename the other dashboard of this title)", err)
	}
	switch {
	case err != nil:
		s.fail(what, err)
	case absent:
		s.say(what, Created, saved.URL)
	default:
		s.say(what, Updated, saved.URL)
	}
}
