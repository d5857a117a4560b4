package render

import (
	"bufio"
	"encoding/csv"
	"strconv"
	"time"

	"github.com/tidemark-chat/tidemark/services/auditor/record"
)

// columns of a table, in the order of a record's fields.
var columns = []string{
	"offset", "id", "at", "type", "conversation", "from", "username", "to", "content", "clientOffset", "scope", "schema",
	"digest", "damaged",
}

// csvWriter writes a line with the names of the columns, and one line for each event, or more where it holds line breaks.
type csvWriter struct {
	out     *csv.Writer
	guarded bool // a terminal gets each event on one line, as text does
	begun   bool
	row     []string
}

func newCSV(out *bufio.Writer, guarded bool) *csvWriter {
	return &csvWriter{out: csv.NewWriter(out), guarded: guarded, row: make([]string, len(columns))}
}

func (w *csvWriter) Write(r *record.Record) error {
	if err := w.begin(); err != nil {
		return err
	}
	w.row = append(w.row[:0],
		strconv.FormatUint(r.Offset, 10), r.ID, r.At.Format(time.RFC3339Nano), r.Type, r.Conversation, r.From, r.Username, r.To,
		r.Content, r.ClientOffset, r.Scope, strconv.Itoa(r.Schema), r.Digest.String(), r.Damaged)
	if w.guarded {
		for i := range w.row {
			w.row[i] = Visible(w.row[i])
		}
	}
	return w.out.Write(w.row)
}

func (w *csvWriter) begin() error {
	if w.begun {
		return nil
	}
	w.begun = true
	return w.out.Write(columns)
}

// Flush writes the names of the columns, if nothing was written yet: a table without rows has them too.
func (w *csvWriter) Flush() error {
	if err := w.begin(); err != nil {
		return err
	}
	w.out.Flush()
	return w.out.Error()
}
