package verify

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestShortCutsBetweenCharacters(t *testing.T) {
	for n := range 80 {
		for _, c := range []string{"x", "ü", "日", "😀"} {
			text := strings.Repeat(c, n)
			got := short(text)
			if len(got) > 63 || !utf8.ValidString(got) || len(text) <= 60 && got != text || !strings.HasPrefix(text, strings.TrimSuffix(got, "…")) {
				t.Errorf("%d of %s: %q", n, c, got)
			}
		}
	}
	if got := short(strings.Repeat("\x80", 100)); len(got) > 63 {
		t.Errorf("%q", got)
	}
}
