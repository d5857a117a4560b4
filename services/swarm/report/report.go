// Package report is what a run leaves behind: what was asked, on which machine, what was counted, what was broken on
// purpose, which rules were checked and what they found. The same Report is a file for programs (JSON), one for people
// (a page that holds all it needs and asks nobody for anything) and a few lines for the terminal.
//
//	Report ─┬─ WriteText   the verdict first, then what led to it
//	        ├─ WriteHTML   the same with charts and every story
//	        └─ WriteJSON   all of it
//
// Whatever a server or a client said is shown as text, and neither a page nor a terminal obeys it. Bars draws the
// figures of a comparison.
package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/measure"
)

// Verdict is what came out.
type Verdict string

// The verdicts.
const (
	Clean      Verdict = "clean"       // rules were checked and found nothing
	Found      Verdict = "findings"    // a rule found something
	NotChecked Verdict = "not checked" // no rule was checked
	Measured   Verdict = "measured"    // none was to be: the run was for its figures
)

// Report is of one run. Times are in seconds since it began, latencies in milliseconds.
type Report struct {
	Verdict    Verdict           `json:"verdict"`
	Command    string            `json:"command"`             // "prove"
	Arguments  map[string]string `json:"arguments,omitempty"` // what the command was told, by flag
	Version    string            `json:"version"`             // of the swarm
	RunID      string            `json:"runId"`
	Seed       uint64            `json:"seed"` // gives the same clients and faults again
	Began      time.Time         `json:"began"`
	Took       float64           `json:"tookSeconds"`
	Machine    Machine           `json:"machine"`
	Deployment string            `json:"deployment,omitempty"` // what was deployed for the run; empty: it was there
	Addresses  []string          `json:"addresses"`            // base URLs that were talked to

	Totals    measure.Counts    `json:"totals"`
	Latencies measure.Latencies `json:"latencies"` // of the whole run; a kind that did not occur is absent
	Series    []measure.Point   `json:"series,omitempty"`
	Faults    []Fault           `json:"faults,omitempty"`   // in the order of time
	Noted     []string          `json:"noted,omitempty"`    // what was measured beside, a sentence each
	LeftOut   []string          `json:"leftOut,omitempty"`  // what was not done, and why
	Rules     []Rule            `json:"rules,omitempty"`    // those checked
	Findings  []Finding         `json:"findings,omitempty"` // those kept, of each rule perhaps not all
}

// Phases of a fault that lasts. One that has another phase, or none, is a moment.
const (
	Begins = "begins"
	Ends   = "ends" // of the same kind and target
)

// Fault is something that was broken on purpose, or mended.
type Fault struct {
	At     float64 `json:"atSeconds"`
	Phase  string  `json:"phase"`  // Begins, Ends or the name of a moment
	Kind   string  `json:"kind"`   // "kill"
	Target string  `json:"target"` // "gateway-1"
	Text   string  `json:"text"`   // "kill -9, again after 2 s"
}

// Rule is something that holds in every run.
type Rule struct {
	Name     string `json:"name"`
	Meaning  string `json:"meaning"`
	Findings int    `json:"findings"` // how often it did not hold
}

// Finding is one case in which a rule did not hold.
type Finding struct {
	Rule       string   `json:"rule"`
	Actor      string   `json:"actor,omitempty"`    // the client it happened to; empty: no single one
	Connection int      `json:"connection"`         // index among the actor's connections; -1: none
	Offset     uint64   `json:"offset,omitempty"`   // 0: none
	Text       string   `json:"text"`               // what is wrong, in a sentence
	Timeline   []string `json:"timeline,omitempty"` // what the actor did and was told around it, a line each, oldest first
}

// Measured takes over what m has counted.
func (r *Report) Measured(m *measure.Meter) {
	s := m.Snapshot()
	r.Totals, r.Latencies, r.Series = s.Totals, s.Latencies, m.Series()
}

// Judge sets the verdict that follows from the rules and the findings.
func (r *Report) Judge() {
	r.Verdict = NotChecked
	if len(r.Rules) > 0 {
		r.Verdict = Clean
	}
	if r.found() > 0 {
		r.Verdict = Found
	}
}

// found is how many findings there were, kept or not.
func (r *Report) found() int {
	n := 0
	for _, rule := range r.Rules {
		n += rule.Findings
	}
	return max(n, len(r.Findings))
}

// WriteJSON writes all of it.
func (r *Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(r); err != nil {
		return fmt.Errorf("write report as JSON: %w", err)
	}
	return nil
}

// Save writes report.json and report.html into dir, which it makes if need be. Whoever opens one of them finds the
// whole of it or the one before.
func (r *Report) Save(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("save report: %w", err)
	}
	return errors.Join(
		replaceFile(filepath.Join(dir, "report.json"), r.WriteJSON),
		replaceFile(filepath.Join(dir, "report.html"), r.WriteHTML),
	)
}

func replaceFile(name string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return fmt.Errorf("save report: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if err := errors.Join(write(f), f.Chmod(0o644), f.Close()); err != nil {
		return fmt.Errorf("save report: %w", err)
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return fmt.Errorf("save report: %w", err)
	}
	return nil
}
