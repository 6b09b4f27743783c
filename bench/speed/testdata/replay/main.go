// Replay writes the lines of a file at the pace of those that come in: what a
// processor costs Telegraf that does no work of its own, but adds the same.
package main

import (
	"bytes"
	"os"
	"strconv"
)

func main() {
	text, err := os.ReadFile(os.Args[1])
	want, e := strconv.Atoi(os.Args[2]) // lines that will come in
	if err != nil || e != nil {
		os.Exit(2)
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	buffer, seen, written := make([]byte, 64<<10), 0, 0
	for {
		n, err := os.Stdin.Read(buffer)
		seen += bytes.Count(buffer[:n], []byte("\n"))
		size := 0
		for due := min(len(lines), seen*len(lines)/want); written < due; written++ {
			size += len(lines[written])
		}
		if _, e := os.Stdout.Write(text[:size]); e != nil {
			os.Exit(1)
		}
		if text = text[size:]; err != nil {
			return
		}
	}
}
