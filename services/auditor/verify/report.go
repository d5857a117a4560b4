package verify

import (
	"cmp"
	"slices"
	"time"

	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

// Report is what was checked and what was found.
type Report struct {
	Log         LogReport         `json:"log"`
	Rules       *RulesReport      `json:"rules,omitempty"` // nil: not asked for
	ReadModel   *ReadModelReport  `json:"readModel,omitempty"`
	Checkpoints *CheckpointReport `json:"checkpoints,omitempty"`

	Findings []Finding    `json:"findings"`           // by ascending offset
	Found    int          `json:"found"`              // all, also those that are not listed
	Unlisted map[Rule]int `json:"unlisted,omitempty"` // of rules with more than MaxFindings

	Remarks   []string    `json:"remarks,omitempty"`
	Unchecked []Unchecked `json:"unchecked,omitempty"`
	Result    Result      `json:"result"`
}

// LogReport is what was read of the log.
type LogReport struct {
	Epoch   string  `json:"epoch"`
	Last    uint64  `json:"last"` // offset at which the log ended when the reading began
	From    uint64  `json:"from"` // what was asked for
	Through uint64  `json:"through"`
	Reached uint64  `json:"reached"` // Through, unless the reading was cut short
	Events  uint64  `json:"events"`
	Content uint64  `json:"contentBytes"`
	Seconds float64 `json:"seconds"`
}

// RulesReport is what the rules of the log itself saw.
type RulesReport struct {
	Types        map[string]uint64 `json:"types"` // events by type, known or not; the rarer of very many types are under "other"
	UnknownTypes uint64            `json:"unknownTypes"`
	NewerSchemas uint64            `json:"newerSchemas"`
	NewerFrom    uint64            `json:"newerFrom,omitempty"` // offset of the first of those
	Keys         uint64            `json:"keys"`                // events with a key, and registrations
	Began        time.Time         `json:"began,omitzero"`
	Ended        time.Time         `json:"ended,omitzero"`
}

// ReadModelReport is what was compared of the read model.
type ReadModelReport struct {
	Name       string                     `json:"name"`
	Checkpoint uint64                     `json:"checkpoint"` // its offset
	Lag        uint64                     `json:"lag"`        // offsets that it is behind the log
	Rows       map[readmodel.Table]uint64 `json:"rows"`
}

// CheckpointReport is what was compared with signed checkpoints.
type CheckpointReport struct {
	Keys       []string       `json:"keys"`       // names and hashes of the keys that were asked for
	Judged     uint64         `json:"judged"`     // checkpoints of stream AUDIT
	Kept       uint64         `json:"kept"`       // checkpoints kept elsewhere that were judged
	Newest     uint64         `json:"newest"`     // offset of the newest one of stream AUDIT
	Covered    uint64         `json:"covered"`    // and of the newest one in the span
	NotCovered uint64         `json:"notCovered"` // offsets of the span after it
	Earlier    []EarlierTrees `json:"earlier,omitempty"`
}

// EarlierTrees are checkpoints of a log that was there before this one.
type EarlierTrees struct {
	Where       string `json:"where"` // "stream AUDIT" or a file
	Epoch       string `json:"epoch"`
	Checkpoints uint64 `json:"checkpoints"`
	Offset      uint64 `json:"offset"` // of the newest one
}

// Unchecked is something that was asked for and could not be checked.
type Unchecked struct {
	Part Part   `json:"part"`
	Why  string `json:"why"`
	Only string `json:"only,omitempty"` // what --only would leave it out; empty if there is no such way
}

// Result is the outcome in a word.
type Result string

// Findings win over what could not be checked.
const (
	Clean    Result = "clean"
	Findings Result = "findings"
	CouldNot Result = "could not check"
)

// conclude gathers what the checks have found.
func (r *Report) conclude(all []*findings) {
	r.Findings = []Finding{} // as JSON a list, also when empty
	for _, f := range all {
		r.Findings = append(r.Findings, f.kept...)
		r.Found += f.count
		if more := f.count - len(f.kept); more > 0 {
			if r.Unlisted == nil {
				r.Unlisted = map[Rule]int{}
			}
			r.Unlisted[f.rule] = more
		}
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return cmp.Compare(a.Offset, b.Offset) })
	switch {
	case r.Found > 0:
		r.Result = Findings
	case len(r.Unchecked) > 0:
		r.Result = CouldNot
	default:
		r.Result = Clean
	}
}
