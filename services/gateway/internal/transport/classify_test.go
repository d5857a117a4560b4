package transport

import (
	"bytes"
	"testing"
	"unicode/utf8"
)

func TestClassify(t *testing.T) {
	for text, want := range map[string]kind{
		"":               kindRefused,
		"0{}":            kindRefused,
		"1":              kindClose,
		"2":              kindRefused,
		"2probe":         kindProbe,
		"2probe2":        kindRefused,
		"3":              kindPong,
		"3probe":         kindPong,
		"4":              kindRefused,
		"40":             kindConnect,
		`40{"a":1}`:      kindConnect,
		"40/,":           kindConnect,
		"40/":            kindConnect,
		`40/,{"a":1}`:    kindConnect,
		"40/admin,":      kindMessage,
		"41":             kindMessage,
		"41/admin,":      kindMessage,
		`42["x"]`:        kindEvent,
		`4213["x"]`:      kindEvent,
		`42/admin,["x"]`: kindEvent,
		`430["x"]`:       kindIgnored,
		`44{}`:           kindRefused,
		`450-["x"]`:      kindRefused,
		`451-["x"]`:      kindRefused,
		`461-["x"]`:      kindRefused,
		"47":             kindRefused,
		"5":              kindUpgrade,
		"6":              kindIgnored,
		"7":              kindRefused,
		"bAQID":          kindRefused,
		"\xff":           kindRefused,
		"42[\"\xc0\"]":   kindRefused,
	} {
		if got := classify([]byte(text), false); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestStages(t *testing.T) {
	for _, s := range []stage{stageProbe, stageUpgrade, stageOpen} {
		for k := kindRefused; k <= kindMessage; k++ {
			want := map[stage]bool{
				stageProbe:   k == kindProbe,
				stageUpgrade: k == kindUpgrade,
				stageOpen:    k != kindRefused && k != kindProbe && k != kindUpgrade,
			}[s]
			if _, ok := s.next(k); ok != want {
				t.Errorf("kind %d at stage %d: %v, want %v", k, s, ok, want)
			}
		}
	}
}

// Nothing that could make the library's decoder wait for attachments passes.
func FuzzClassify(f *testing.F) {
	for _, seed := range []string{"", "4", "40", `42["x"]`, `450-["x"]`, "451-", "2probe", "bAAAA", "\x1e", "\xff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		k := classify(text, false)
		if k == kindRefused {
			return
		}
		if !utf8.Valid(text) || bytes.HasPrefix(text, []byte("45")) || bytes.HasPrefix(text, []byte("46")) || text[0] == 'b' {
			t.Errorf("%q passes as %d", text, k)
		}
	})
}
