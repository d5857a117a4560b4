package oracle

import (
	"fmt"
)

// Finding is a promise that was broken, and how.
type Finding struct {
	Rule       Rule   `json:"rule"`
	Actor      string `json:"actor,omitempty"` // whose story it is; empty: nobody's of the run
	Connection int    `json:"connection"`      // index among the actor's; -1: not about one connection
	Offset     uint64 `json:"offset,omitempty"`
	Text       string `json:"text"` // the story, in one or two sentences
	// Timeline is what the actor did and was told around it, ready to print, a few lines. The line that it is about
	// begins with ">".
	Timeline []string `json:"timeline,omitempty"`
	// More is how many findings of the rule this one stands for that are not told; 0: it is one itself.
	More int `json:"more,omitempty"`
}

// MostPerRule is how many findings of one rule are told; the others are counted (Finding.More).
const MostPerRule = 20

// Findings are the first findings of each rule, and the number of the others. The zero value is ready.
type Findings struct {
	told  map[Rule][]Finding
	count map[Rule]int
}

// Add adds a finding. tell makes it, and is called only if it is to be told: a story costs more than its count.
func (f *Findings) Add(rule Rule, tell func() Finding) {
	if f.count == nil {
		f.told, f.count = make(map[Rule][]Finding), make(map[Rule]int)
	}
	f.count[rule]++
	if f.count[rule] <= MostPerRule {
		finding := tell()
		finding.Rule = rule
		f.told[rule] = append(f.told[rule], finding)
	}
}

// All is the findings in the order of Rules. Where a rule has more than are told, its last one says how many.
func (f *Findings) All() (all []Finding) {
	for _, r := range Rules() {
		all = append(all, f.told[r.Rule]...)
		if more := f.count[r.Rule] - len(f.told[r.Rule]); more > 0 {
			all = append(all, Finding{Rule: r.Rule, Connection: -1, More: more, Text: fmt.Sprintf("And %d more of this kind.", more)})
		}
	}
	return all
}
