package verify

import (
	"strings"
	"testing"
)

func split(text string) (found []string, err error) {
	for note, err := range notes(strings.NewReader(text)) {
		if err != nil {
			return found, err
		}
		found = append(found, string(note))
	}
	return found, nil
}

func TestNotesAreSplitAtTheirSignatures(t *testing.T) {
	const a, b, two = "o\n1\n\n— a x\n", "o\n2\n\n— a y\n", "o\n3\n\n— a z\n— b z\n"
	for _, test := range []struct {
		text string
		want []string
	}{
		{"", nil}, {"\n \n", nil}, {a, []string{a}}, {a + b + two, []string{a, b, two}}, {"\n" + a + "\n\n" + two + "\n" + b + "\n", []string{a, two, b}},
		{strings.TrimSuffix(a, "\n"), []string{strings.TrimSuffix(a, "\n")}}, {"cut o", []string{"cut o"}}, {a + "cut", []string{a, "cut"}},
		{`{"size":1,"checkpoint":"x\n"} {"checkpoint":"y"}` + "\n", []string{"x\n", "y"}},
		{strings.ReplaceAll(a, "\n", "\r\n"), []string{strings.ReplaceAll(a, "\n", "\r\n")}},
	} {
		got, err := split(test.text)
		if err != nil || strings.Join(got, "|") != strings.Join(test.want, "|") {
			t.Errorf("%q: %q, %v", test.text, got, err)
		}
	}
}

func TestWhatIsNoFileOfNotesIsAnError(t *testing.T) {
	for _, text := range []string{"{cut", strings.Repeat("x", maxNote+1), strings.Repeat("x\n", maxNote)} {
		if _, err := split(text); err == nil {
			t.Error("no error")
		}
	}
}
