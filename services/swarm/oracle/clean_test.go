package oracle_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/services/swarm/oracle"
)

var quiet = oracle.Options{Quiet: true, Present: map[string]int{"user-0": 1, "guest-0": 1}}

// tell is findings as a reader is told them.
func tell(findings []oracle.Finding) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%s: %s\n%s\n\n", f.Rule, f.Text, strings.Join(f.Timeline, "\n"))
	}
	return b.String()
}

func TestAHistoryInOrderIsClean(t *testing.T) {
	for seed := range uint64(100) {
		w := newWorld(seed, 400)
		if found := oracle.Check(w.run, w.log, quiet); len(found) > 0 {
			t.Fatalf("seed %d:\n%s", seed, tell(found[:min(3, len(found))]))
		}
	}
}
