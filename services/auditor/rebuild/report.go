package rebuild

import (
	"fmt"
	"io"
	"strings"

	"github.com/tidemark-chat/tidemark/services/auditor/progress"
)

// MaxFindings is how many findings are kept. Further ones are counted.
const MaxFindings = 1000

// Report is what was made, and how the live read model differs from it.
type Report struct {
	Into  string `json:"into"`
	Epoch string `json:"epoch"` // of the log
	Last  uint64 `json:"last"`  // the log's last offset when it began
	// What was projected: after < offset <= through. After is not 0 if a rebuild was continued, and the numbers are those of
	// this run.
	After        uint64 `json:"after"`
	Through      uint64 `json:"through"`
	Events       uint64 `json:"events"`       // messages and users
	DeadLetters  uint64 `json:"deadLetters"`  // damaged events, taken keys and users, holes
	Skipped      uint64 `json:"skipped"`      // of a type or schema that this program does not know
	MissingAtEnd uint64 `json:"missingAtEnd"` // offsets after the last event at which the log holds nothing

	Compared *Compared `json:"compared,omitempty"` // nil: not asked for
	Findings []Finding `json:"findings"`
	Found    int       `json:"found"` // all, also those that are not listed
}

// Compared is what was compared.
type Compared struct {
	Live       string `json:"live"`
	Checkpoint uint64 `json:"checkpoint"` // of the live read model
	Through    uint64 `json:"through"`    // compared up to here
	Rows       uint64 `json:"rows"`       // that the live one must have
}

// Finding is one thing in the live read model that is not as the log makes it.
type Finding struct {
	Offset uint64 `json:"offset"` // 0: of a row that has no place in the log
	What   string `json:"what"`   // free of control characters
}

func (r *Report) add(f Finding) {
	if r.Found++; r.Found <= MaxFindings {
		r.Findings = append(r.Findings, f)
	}
}

// WriteText writes the report for a person, the outcome as the last line.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "rebuilt %q from the log of epoch %s, %s: %s, %s, %s\n", r.Into, r.Epoch, r.span(),
		plural(r.Events, "event"), plural(r.DeadLetters, "dead letter"), progress.Count(r.Skipped)+" skipped")
	if r.MissingAtEnd > 0 {
		fmt.Fprintf(&b, "the log holds nothing at its last %s\n", plural(r.MissingAtEnd, "offset"))
	}
	if c := r.Compared; c != nil {
		fmt.Fprintf(&b, "compared with %q, which is at offset %d: %s up to offset %d\n", c.Live, c.Checkpoint, plural(c.Rows, "row"), c.Through)
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%d: %s\n", f.Offset, f.What)
	}
	if more := r.Found - len(r.Findings); more > 0 {
		fmt.Fprintf(&b, "%s more, not listed\n", progress.Count(uint64(more)))
	}
	fmt.Fprintln(&b, r.Outcome())
	_, err := io.WriteString(w, b.String())
	return err
}

// Outcome is the report in a line.
func (r *Report) Outcome() string {
	switch {
	case r.Compared == nil:
		return "rebuilt, not compared"
	case r.Found > 0:
		return plural(uint64(r.Found), "difference")
	}
	return "the live read model is what the log makes it"
}

func (r *Report) span() string {
	if r.Through == r.After {
		return fmt.Sprintf("nothing after offset %d", r.After)
	}
	return fmt.Sprintf("offsets %d to %d", r.After+1, r.Through)
}

func plural(n uint64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return progress.Count(n) + " " + thing
}
