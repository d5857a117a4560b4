package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/tidemark-chat/tidemark/services/swarm/measure"
	"github.com/tidemark-chat/tidemark/services/swarm/report/internal/words"
)

// What the terminal is given of what may be long.
const (
	textFindings = 10
	textTimeline = 20
)

// WriteText writes what a person reads when the run has ended: the verdict in the first line, and the first findings.
func (r *Report) WriteText(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintln(&b, r.headline())
	fmt.Fprintln(&b, r.subject())
	r.textTotals(&b)
	r.textLatencies(&b)
	r.textNoted(&b)
	r.textRules(&b)
	r.textFindings(&b)
	if len(r.LeftOut) > 0 {
		fmt.Fprintln(&b, "\nLeft out:")
		for _, what := range r.LeftOut {
			fmt.Fprintf(&b, "  %s\n", words.Printable(what))
		}
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write report as text: %w", err)
	}
	return nil
}

// headline is the verdict in a sentence.
func (r *Report) headline() string {
	switch r.Verdict {
	case Clean:
		return fmt.Sprintf("CLEAN: %s checked, nothing found.", many(len(r.Rules), "rule"))
	case Found:
		return fmt.Sprintf("NOT CLEAN: %s.", many(r.found(), "finding"))
	case Measured:
		return "Measured; nothing was judged."
	case NotChecked:
		return "Not checked: no rule was."
	}
	return words.Printable(string(r.Verdict))
}

// subject is what was run.
func (r *Report) subject() string {
	parts := []string{r.Command, fmt.Sprintf("%.1f s", r.Took), fmt.Sprintf("seed %d", r.Seed), many(len(r.faultSpans()), "fault")}
	if len(r.Addresses) > 0 {
		parts = append(parts, "against "+strings.Join(r.Addresses, ", "))
	}
	if r.Deployment != "" {
		parts = append(parts, "deployed as "+r.Deployment)
	}
	if r.RunID != "" {
		parts = append(parts, "run "+r.RunID)
	}
	return words.Printable(strings.Join(parts, ", "))
}

func many(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return words.Count(int64(n)) + " " + what + "s"
}

// total is a line of the totals.
type total struct {
	Name  string
	Value int64
	Rate  float64 // per second
}

// totals are the counts worth a line: the ones that say what was done always, those of trouble if there was some.
func (r *Report) totals() []total {
	t := r.Totals
	lines := []total{
		{Name: "connections opened", Value: t.Connects},
		{Name: "connections refused", Value: t.Refused},
		{Name: "connections cut", Value: t.Cuts},
		{Name: "messages sent", Value: t.Sent},
		{Name: "acked", Value: t.Acked},
		{Name: "of these duplicates", Value: t.Duplicates},
		{Name: "rejected", Value: t.Rejected},
		{Name: "unanswered", Value: t.Unanswered},
		{Name: "messages received", Value: t.Received},
		{Name: "bytes received", Value: t.Bytes},
		{Name: "recoveries", Value: t.Recoveries},
	}
	kept := lines[:0]
	for _, l := range lines {
		if l.Value == 0 && l.Name != "messages sent" && l.Name != "acked" && l.Name != "messages received" {
			continue
		}
		if r.Took > 0 {
			l.Rate = float64(l.Value) / r.Took
		}
		kept = append(kept, l)
	}
	return kept
}

func (r *Report) textTotals(b *bytes.Buffer) {
	table := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\ntotal\tper second\t")
	for _, l := range r.totals() {
		fmt.Fprintf(table, "%s\t%s\t  %s\n", words.Count(l.Value), words.Rate(l.Rate), l.Name)
	}
	_ = table.Flush() // into memory
}

// kind is a kind of latency with its name.
type kind struct {
	Name string
	measure.Latency
}

// kinds are those that occurred.
func (r *Report) kinds() []kind {
	all := []kind{
		{"ack", r.Latencies.Ack}, {"delivery", r.Latencies.Delivery},
		{"connect", r.Latencies.Connect}, {"recovery", r.Latencies.Recovery},
	}
	kept := all[:0]
	for _, k := range all {
		if k.Count > 0 {
			kept = append(kept, k)
		}
	}
	return kept
}

func (r *Report) textLatencies(b *bytes.Buffer) {
	if len(r.kinds()) == 0 {
		return
	}
	table := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\nlatency\tcount\tp50\tp90\tp99\tp99.9\tmax\t")
	for _, k := range r.kinds() {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", k.Name, words.Count(k.Count),
			words.Millis(k.P50Ms), words.Millis(k.P90Ms), words.Millis(k.P99Ms), words.Millis(k.P999Ms), words.Millis(k.MaxMs))
	}
	_ = table.Flush() // into memory
}

func (r *Report) textNoted(b *bytes.Buffer) {
	if len(r.Noted) > 0 {
		fmt.Fprintln(b)
	}
	for _, what := range r.Noted {
		fmt.Fprintln(b, words.Printable(what))
	}
}

// textRules names the rules that did not hold; that the others did is in the first line.
func (r *Report) textRules(b *bytes.Buffer) {
	if r.found() == 0 || len(r.Rules) == 0 {
		return
	}
	fmt.Fprintln(b, "\nRules that did not hold:")
	held := 0
	for _, rule := range r.Rules {
		if rule.Findings == 0 {
			held++
			continue
		}
		fmt.Fprintf(b, "  %s (%s): %s\n", words.Printable(rule.Name), many(rule.Findings, "finding"), words.Printable(rule.Meaning))
	}
	if held > 0 {
		fmt.Fprintf(b, "  %d of %s held.\n", held, many(len(r.Rules), "rule"))
	}
}

func (r *Report) textFindings(b *bytes.Buffer) {
	for i, f := range r.Findings {
		if i == textFindings {
			break
		}
		fmt.Fprintf(b, "\n%d. %s: %s\n", i+1, words.Printable(f.Rule), words.Printable(f.Text))
		if where := f.where(); where != "" {
			fmt.Fprintf(b, "   %s\n", where)
		}
		for j, line := range f.Timeline {
			if j == textTimeline {
				fmt.Fprintf(b, "     (and %s in the report)\n", many(len(f.Timeline)-j, "more line"))
				break
			}
			fmt.Fprintf(b, "     %s\n", words.Printable(line))
		}
	}
	if more := r.found() - min(len(r.Findings), textFindings); more > 0 {
		fmt.Fprintf(b, "\nand %s.\n", many(more, "more finding"))
	}
}

// where is the place of a finding: its client, connection and offset, as far as there are such.
func (f Finding) where() string {
	var parts []string
	if f.Actor != "" {
		parts = append(parts, "client "+words.Printable(f.Actor))
	}
	if f.Connection >= 0 && f.Actor != "" {
		parts = append(parts, fmt.Sprintf("connection %d", f.Connection))
	}
	if f.Offset != 0 {
		parts = append(parts, fmt.Sprintf("offset %d", f.Offset))
	}
	return strings.Join(parts, ", ")
}
