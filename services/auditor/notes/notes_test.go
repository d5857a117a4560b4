package notes

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

func split(text string) (found []string, err error) {
	for note, err := range All(strings.NewReader(text)) {
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
		{strings.TrimSuffix(a, "\n"), []string{a}}, {"cut o", []string{"cut o\n"}}, {a + "cut", []string{a, "cut\n"}},
		{"o\n1\n\n\n" + a, []string{"o\n1\n\n", a}}, {"o\n— a x\n\n" + a, []string{"o\n— a x\n\n", a}},
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
		if _, err := Last(strings.NewReader(text)); err == nil {
			t.Error("no error")
		}
	}
}

// signed are n checkpoints.
func signed(t *testing.T, n uint64) (notes []string) {
	t.Helper()
	key, err := notary.EnsureKey(filepath.Join(t.TempDir(), "notary.key"), "tidemark")
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		note, err := notary.Sign(notary.Checkpoint{Size: 4711 + i, Epoch: "e", Time: time.Unix(int64(i), 0)}, key)
		if err != nil {
			t.Fatal(err)
		}
		notes = append(notes, string(note))
	}
	return notes
}

// A notary that was killed while it wrote goes on with an empty line, wherever it was.
func TestANoteThatWasCutOffSpoilsNoOther(t *testing.T) {
	all := signed(t, 4)
	for cut := 1; cut < len(all[1]); cut++ {
		file := all[0] + "\n" + all[1][:cut] + "\n" + all[2] + "\n" + all[3]
		found, err := split(file)
		var read, unreadable []string
		for _, note := range found {
			if _, err := Read([]byte(note)); err == nil {
				read = append(read, note)
			} else if unreadable = append(unreadable, note); !fault.Is(err, fault.Corrupt) {
				t.Errorf("cut at %d: %v", cut, err)
			}
		}
		want, some := all[0]+all[2]+all[3], true
		if cut == len(all[1])-1 { // only the end of its last line is lost
			want, some = strings.Join(all, ""), false
		}
		if err != nil || strings.Join(read, "") != want || len(unreadable) > 0 != some {
			t.Errorf("cut at %d: %q, %q, %v", cut, read, unreadable, err)
		}
		last, err := Last(strings.NewReader(all[0] + "\n" + all[1][:cut]))
		if some && last != all[0] || err != nil {
			t.Errorf("cut at %d: the last is %q, %v", cut, last, err)
		}
		if last, err := Last(strings.NewReader(all[1][:cut])); some && err == nil {
			t.Errorf("cut at %d: the last is %q", cut, last)
		}
	}
}

func TestTheLastNoteOfAFileIsTaken(t *testing.T) {
	all := signed(t, 3)
	for _, file := range []string{
		strings.Join(all, ""), strings.Join(all, "\n"), all[0] + "\n" + all[2] + "\n\n", "tidemark\n47\n" + all[2], all[2] + "\ntidemark\n6\n",
		fmt.Sprintf("{\"checkpoint\":%q}\n{\"checkpoint\":%q}\n", all[0], all[2]),
	} {
		if last, err := Last(strings.NewReader(file)); err != nil || last != all[2] {
			t.Errorf("%q: %q, %v", file, last, err)
		}
	}
	for _, file := range []string{"", "\n", "nonsense"} {
		if last, err := Last(strings.NewReader(file)); err == nil {
			t.Errorf("%q: %q", file, last)
		}
	}
}
