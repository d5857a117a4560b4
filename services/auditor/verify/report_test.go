package verify_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/services/auditor/verify"
)

// shown is a report as a person sees it.
func shown(t testing.TB, r *verify.Report) string {
	t.Helper()
	var b strings.Builder
	if err := r.WriteText(&b, false); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// wantFindings compares the lines of all findings with patterns of their beginnings, in order.
func wantFindings(t testing.TB, r *verify.Report, patterns ...string) {
	t.Helper()
	text := shown(t, r)
	var lines []string
	for _, line := range strings.Split(text, "\n") {
		if regexp.MustCompile(`^(dense|digest|schema|order|key|read model|checkpoint) \d`).MatchString(line) {
			lines = append(lines, line)
		}
	}
	fits := len(lines) == len(patterns) && r.Found == len(patterns)
	for i := 0; fits && i < len(lines); i++ {
		fits = regexp.MustCompile("^" + patterns[i]).MatchString(lines[i])
	}
	want := verify.Findings
	if len(patterns) == 0 {
		want = verify.Clean
	}
	if !fits || r.Result != want {
		t.Errorf("want %q and result %s, have\n%s", patterns, want, text)
	}
}
