// Package render writes events for people (text), for programs (json) and for tables (csv), one event a line.
//
// What is in an event is hostile: names, rooms and contents are whatever a client sent. In text everything that a terminal
// would not show as itself (control characters, escape sequences, changes of the direction of writing, bytes that are not
// UTF-8) is written so that it is seen. json and csv hold it as it is, for programs; on a terminal they are guarded as well.
package render

import (
	"bufio"
	"fmt"
	"io"

	"github.com/tidemark-chat/tidemark/services/auditor/record"
)

// Formats are the names that New knows.
var Formats = []string{"text", "json", "csv"}

// bufferSize is how much is gathered before it is written.
const bufferSize = 128 << 10

// Writer writes events. It is used by one goroutine. After an error it writes nothing more.
type Writer interface {
	// Write writes one event, sooner or later.
	Write(r *record.Record) error
	// Flush writes what was gathered.
	Flush() error
}

// New is a writer in a format. guarded says that it writes to a terminal.
func New(format string, w io.Writer, guarded bool) (Writer, error) {
	out := bufio.NewWriterSize(w, bufferSize)
	switch format {
	case "text":
		return newText(out), nil
	case "json":
		return &jsonWriter{out: out, guarded: guarded}, nil
	case "csv":
		return newCSV(out, guarded), nil
	}
	return nil, fmt.Errorf("there is no format %q", format)
}
