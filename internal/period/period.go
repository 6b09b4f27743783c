// Package period reads lists of times that do not count: maintenance windows,
// known incidents.
package period

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// A Set is a list of periods. The zero value holds none.
type Set struct {
	once   []once
	weekly []weekly
}

type once struct {
	from, to time.Time
	group    string
}

// weekly comes back on some days of the week, at minutes since midnight UTC.
type weekly struct {
	days     []time.Weekday // none: every day
	from, to int
	group    string
}

// Read reads a file, see Parse.
func Read(path string) (*Set, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, err := Parse(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// Parse reads one period a line, all times in UTC unless an offset says
// otherwise; what follows the times names a group to which it is confined:
//
//	2026-11-01T00:00:00Z 2026-11-01T04:00:00Z
//	2026-11-01T00:00:00Z 2026-11-01T04:00:00Z web01
//	daily 02:00 02:30
//	sun 23:00 01:00 db01
//
// A recurring period whose end is before its start ends on the next day. Empty
// lines and lines that start with # do not count. Errors name the line.
func Parse(r io.Reader) (*Set, error) {
	s := &Set{}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		if err := s.add(words); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	return s, lines.Err()
}

func (s *Set) add(words []string) error {
	if words[0] == "daily" || slices.Contains(days, words[0]) {
		return s.addWeekly(words)
	}
	if len(words) < 2 {
		return fmt.Errorf("%q has a start but no end", strings.Join(words, " "))
	}
	from, err := time.Parse(time.RFC3339, words[0])
	if err != nil {
		return fmt.Errorf("%q is neither a time, a day nor \"daily\"", words[0])
	}
	to, err := time.Parse(time.RFC3339, words[1])
	if err != nil || !to.After(from) {
		return fmt.Errorf("%q is not a time after %q", words[1], words[0])
	}
	s.once = append(s.once, once{from, to, strings.Join(words[2:], " ")})
	return nil
}

var days = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func (s *Set) addWeekly(words []string) error {
	if len(words) < 3 {
		return fmt.Errorf("%q wants a start and an end, like 02:00 04:00", words[0])
	}
	var w weekly
	if i := slices.Index(days, words[0]); i >= 0 {
		w.days = []time.Weekday{time.Weekday(i)}
	}
	for i, minutes := range []*int{&w.from, &w.to} {
		t, err := time.Parse("15:04", words[1+i])
		if err != nil {
			return fmt.Errorf("%q is not a time of day like 02:30", words[1+i])
		}
		*minutes = t.Hour()*60 + t.Minute()
	}
	w.group = strings.Join(words[3:], " ")
	s.weekly = append(s.weekly, w)
	return nil
}

// Contains reports whether t lies in a period that holds for the group. Starts
// belong to a period, ends do not.
func (s *Set) Contains(group string, t time.Time) bool {
	for _, p := range s.once {
		if p.of(group) && !t.Before(p.from) && t.Before(p.to) {
			return true
		}
	}
	for _, p := range s.weekly {
		if p.contains(group, t.UTC()) {
			return true
		}
	}
	return false
}

func (p *once) of(group string) bool { return p.group == "" || p.group == group }

func (p *weekly) contains(group string, t time.Time) bool {
	if p.group != "" && p.group != group {
		return false
	}
	minute := t.Hour()*60 + t.Minute()
	if p.from <= p.to {
		return p.on(t.Weekday()) && minute >= p.from && minute < p.to
	}
	return p.on(t.Weekday()) && minute >= p.from || p.on((t.Weekday()+6)%7) && minute < p.to
}

func (p *weekly) on(day time.Weekday) bool { return p.days == nil || slices.Contains(p.days, day) }
