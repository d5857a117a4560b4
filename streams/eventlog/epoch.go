package eventlog

import (
	"crypto/rand"
	"maps"
	"strings"
	"time"
)

// NextEpoch is the metadata of a log that is put back from an older copy at a time, which is not before its newest event,
// so that it is told from the one that was lost, and from any other that is made of the same copy.
func NextEpoch(metadata map[string]string, at time.Time) map[string]string {
	next := maps.Clone(metadata)
	if next == nil {
		next = make(map[string]string)
	}
	next[metadataEpoch] = restoredMark + at.UTC().Format(time.RFC3339Nano) + " " + rand.Text()
	return next
}

// restored reads back when a log was put back, zero if it was not.
func restored(metadata map[string]string) time.Time {
	text, ok := strings.CutPrefix(metadata[metadataEpoch], restoredMark)
	if !ok {
		return time.Time{}
	}
	text, _, _ = strings.Cut(text, " ")
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{} // an operator's own words
	}
	return at.Add(clockError)
}

const (
	restoredMark = "restored "
	// clockError is how far apart the clocks of several servers may be.
	clockError = time.Minute
)
