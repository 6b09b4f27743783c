package influx

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"telegraf-anomaly/internal/atomicfile"
)

// Progress tells how far a download is.
type Progress struct {
	Until time.Time
	Bytes int64
}

// mark is what a later run needs to go on: it lies beside the unfinished file.
type mark struct {
	Request string    `json:"request"` // digest of what was asked for
	Until   time.Time `json:"until"`
	Bytes   int64     `json:"bytes"`
}

// Download writes the wanted history to a file. Until it is complete it is called
// path.part; a call with the same request goes on where an earlier one stopped.
// resumed is how much of the file was there already.
func (c *Client) Download(ctx context.Context, r *Request, path string, tell func(Progress)) (resumed int64, err error) {
	part, state := path+".part", path+".state"
	m := mark{Request: c.digest(r), Until: r.From}
	if old, err := readMark(state); err == nil && old.Request == m.Request {
		m = old
	}
	f, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	resumed = m.Bytes
	if info, err := f.Stat(); err != nil || info.Size() < m.Bytes { // the part was lost, the mark was not
		m.Until, m.Bytes, resumed = r.From, 0, 0
	}
	if err := errors.Join(f.Truncate(m.Bytes), seek(f, m.Bytes)); err != nil {
		return 0, err
	}
	rest := *r
	rest.From = m.Until
	err = c.Collect(ctx, &rest, func(lines []byte, until time.Time) error {
		if _, err := f.Write(lines); err != nil {
			return err
		}
		m.Until, m.Bytes = until, m.Bytes+int64(len(lines))
		tell(Progress{m.Until, m.Bytes})
		return errors.Join(f.Sync(), writeMark(state, m))
	})
	if err != nil {
		if m.Until.Equal(r.From) { // nothing came, nothing is left behind
			err = errors.Join(err, os.Remove(part))
		}
		return resumed, err
	}
	if err := errors.Join(f.Sync(), os.Rename(part, path)); err != nil {
		return resumed, err
	}
	if err := os.Remove(state); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return resumed, err
	}
	return resumed, nil
}

func seek(f *os.File, to int64) error {
	_, err := f.Seek(to, 0)
	return err
}

// digest tells requests apart; credentials are no part of it.
func (c *Client) digest(r *Request) string {
	text := fmt.Sprint(c.config.URL, c.config.Database, c.config.Retention, c.config.Org, c.config.Flux)
	asked, err := json.Marshal(r)
	if err != nil {
		panic("influx: request does not marshal: " + err.Error()) // plain data always does
	}
	sum := sha256.Sum256(append([]byte(text), asked...))
	return hex.EncodeToString(sum[:8])
}

func readMark(path string) (m mark, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(text, &m)
}

func writeMark(path string, m mark) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return atomicfile.Write(path, text, 0o640)
}
