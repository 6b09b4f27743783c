package anomaly

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// locate puts the line in front of a syntax or type error.
func locate(err error) error {
	var p toml.ParseError
	if errors.As(err, &p) {
		return fmt.Errorf("line %d: %s", max(1, p.Position.Line), p.Message) // 0 is where a text of one line breaks off
	}
	return errors.New(strings.TrimPrefix(err.Error(), "toml: ")) // names its line
}

// lineOf finds a key, or a table, that the decoder has no position for. It returns
// 0 if there is none.
func lineOf(text, key string) int {
	last := regexp.QuoteMeta(key)
	at := regexp.MustCompile(`(?m)^[ \t]*(\[*[\w.]*\b)?["']?` + last + `["']?\s*(=|\])`).FindStringIndex(text)
	if at == nil {
		return 0
	}
	return 1 + strings.Count(text[:at[0]], "\n")
}

var (
	ofFeature    = regexp.MustCompile(`^feature (\d+) \(.*?\): `)
	featureTable = regexp.MustCompile(`(?m)^[ \t]*\[\[processors\.anomaly\.feature\]\]`)
	word         = regexp.MustCompile(`\w+`)
)

// blame puts the line in front of an error about a value: that of the first key in
// its message that the text has, in the feature's table if it is about a feature.
func blame(text string, err error) error {
	message, above := err.Error(), 0
	if m := ofFeature.FindStringSubmatch(message); m != nil {
		n, _ := strconv.Atoi(m[1])
		above, text = featureText(text, n)
		message = message[len(m[0]):]
	}
	for _, key := range word.FindAllString(message, -1) {
		if line := lineOf(text, key); line > 0 {
			return fmt.Errorf("line %d: %w", above+line, err)
		}
	}
	return fmt.Errorf("line %d: %w", above+1, err)
}

// featureText cuts out the n-th feature's table, and counts the lines above it.
func featureText(text string, n int) (above int, table string) {
	tables := featureTable.FindAllStringIndex(text, n+1)
	if len(tables) < n {
		return 0, text // written in another of TOML's ways
	}
	start, end := tables[n-1][0], len(text)
	if len(tables) > n {
		end = tables[n][0]
	}
	return strings.Count(text[:start], "\n"), text[start:end]
}
