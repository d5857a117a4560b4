package verify

import (
	"cmp"
	"slices"
)

// Rule is what a finding breaks.
type Rule string

// The rules.
const (
	Dense      Rule = "dense"      // the log holds an event at each offset
	Intact     Rule = "digest"     // each event is what was sealed
	Schema     Rule = "schema"     // and is what it may be
	Order      Rule = "order"      // times do not descend
	Key        Rule = "key"        // one key is one event, one user one registration
	ReadModel  Rule = "read model" // it is what the log makes it
	Checkpoint Rule = "checkpoint" // what was signed is what the log holds
)

// MaxFindings is how many findings of one rule are kept, those of the lowest offsets. Further ones are counted.
const MaxFindings = 1000

// Finding is one thing that is not as it must be.
type Finding struct {
	Rule     Rule   `json:"rule"`
	Offset   uint64 `json:"offset"`             // 0: of the database, in a row without a place in the log
	Through  uint64 `json:"through,omitempty"`  // the last offset, where it concerns several
	Sequence uint64 `json:"sequence,omitempty"` // in stream AUDIT
	What     string `json:"what"`               // free of control characters
}

// findings are those of one rule. Not safe for concurrent use.
type findings struct {
	rule  Rule
	kept  []Finding // by ascending offset
	count int
}

func (f *findings) add(found Finding) {
	found.Rule = f.rule
	if found.Through <= found.Offset {
		found.Through = 0
	}
	f.count++
	// Behind those of the same offset: they stay in the order in which they were found.
	at, _ := slices.BinarySearchFunc(f.kept, found, func(kept, found Finding) int {
		return cmp.Or(cmp.Compare(kept.Offset, found.Offset), -1)
	})
	if at == MaxFindings {
		return
	}
	if len(f.kept) == MaxFindings {
		f.kept = f.kept[:MaxFindings-1]
	}
	f.kept = slices.Insert(f.kept, at, found)
}
