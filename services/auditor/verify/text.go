package verify

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/tidemark-chat/tidemark/services/auditor/render"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

// WriteText writes the report for a person: what was checked, unless quiet, then a line for each finding, remarks, and the
// outcome as the last line. The error is the writer's.
func (r *Report) WriteText(w io.Writer, quiet bool) error {
	var b strings.Builder
	if !quiet {
		r.writeChecked(&b)
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s %s: %s\n", f.Rule, f.where(), f.What)
	}
	for _, rule := range slices.Sorted(maps.Keys(r.Unlisted)) {
		fmt.Fprintf(&b, "%s: %s more, not listed\n", rule, count(uint64(r.Unlisted[rule])))
	}
	if !quiet {
		for _, remark := range r.Remarks {
			fmt.Fprintf(&b, "remark: %s\n", remark)
		}
	}
	for _, u := range r.Unchecked {
		fmt.Fprintf(&b, "could not check%s: %s%s\n", u.part(), u.Why, u.way())
	}
	if r.Result != CouldNot { // else the line above is the last one
		fmt.Fprintln(&b, r.Outcome())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Outcome is the report in a line.
func (r *Report) Outcome() string {
	switch {
	case r.Found == 1:
		return "1 finding"
	case r.Found > 1:
		return count(uint64(r.Found)) + " findings"
	}
	return string(r.Result)
}

// where is the place of a finding: offsets are written as an auditor's other commands take them.
func (f *Finding) where() string {
	if f.Through > 0 {
		return fmt.Sprintf("%d..%d", f.Offset, f.Through)
	}
	return fmt.Sprint(f.Offset)
}

func (u *Unchecked) part() string {
	if u.Part == "" {
		return ""
	}
	return " " + string(u.Part)
}

func (u *Unchecked) way() string {
	if u.Only == "" {
		return ""
	}
	return fmt.Sprintf(" (to leave it out: --only %s)", u.Only)
}

// writeChecked writes what was checked, in a table whose left column says of what.
func (r *Report) writeChecked(b *strings.Builder) {
	line := func(what, format string, args ...any) {
		fmt.Fprintf(b, "%-12s %s\n", what, fmt.Sprintf(format, args...))
	}
	l := r.Log
	line("log", "epoch %s, offsets %d to %d of %d: %s events, %s of content, in %.1f s",
		l.Epoch, l.From, l.Reached, l.Last, count(l.Events), humanize.IBytes(l.Content), l.Seconds)
	if s := r.Rules; s != nil {
		for _, name := range slices.Sorted(maps.Keys(s.Types)) {
			line("", "%s %s", count(s.Types[name]), name)
		}
		if !s.Began.IsZero() {
			line("", "from %s to %s", timeText(s.Began), timeText(s.Ended))
		}
		line("", "checked: dense, digests, schema, order of times, %s keys", count(s.Keys))
		if s.UnknownTypes+s.NewerSchemas > 0 {
			line("", "of unknown types %s, of newer schemas %s: these are kept, and not understood", count(s.UnknownTypes), count(s.NewerSchemas))
		}
	}
	if m := r.ReadModel; m != nil {
		line("read model", "%s at offset %d, %s behind the log", render.Visible(m.Name), m.Checkpoint, count(m.Lag))
		var rows []string
		for _, table := range readmodel.Tables {
			rows = append(rows, fmt.Sprintf("%s %s", count(m.Rows[table]), table))
		}
		line("", "rows compared: %s", strings.Join(rows, ", "))
	}
	if c := r.Checkpoints; c != nil {
		c.write(line)
	}
}

func (c *CheckpointReport) write(line func(what, format string, args ...any)) {
	line("checkpoints", "%s of stream AUDIT, the newest at offset %d; not yet covered: %s", count(c.Judged), c.Newest, count(c.NotCovered))
	if c.Kept > 0 {
		line("", "%s kept elsewhere", count(c.Kept))
	}
	if len(c.Keys) > 0 {
		line("", "key: %s", strings.Join(c.Keys, ", "))
	}
	for _, e := range c.Earlier {
		line("", "%s: %s checkpoints of another log before this one (epoch %s), up to offset %d, were not judged",
			e.Where, count(e.Checkpoints), render.Visible(short(e.Epoch)), e.Offset)
	}
}

func count(n uint64) string { return humanize.Comma(int64(n)) }
