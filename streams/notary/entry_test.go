package notary

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func testSigner(t testing.TB) note.Signer {
	t.Helper()
	secret, _, err := GenerateKey("test")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func testLeaves(n int) []tlog.Hash {
	leaves := make([]tlog.Hash, n)
	for i := range leaves {
		leaves[i] = tlog.RecordHash(fmt.Append(nil, i))
	}
	return leaves
}

var testTime = time.Date(2026, 11, 21, 17, 31, 5, 0, time.UTC)

// grown is the entry of leaves from to size-1, as if it were message 3 of a stream in which a tree began at 2, or at 3.
func grown(t testing.TB, from, size int) Entry {
	t.Helper()
	var tree Tree
	signer, leaves := testSigner(t), testLeaves(size)
	before := Entry{}
	if from > 0 {
		if _, err := tree.Grow(leaves[:from]); err != nil {
			t.Fatal(err)
		}
		root, err := tree.Root()
		if err != nil {
			t.Fatal(err)
		}
		signed, err := Sign(Checkpoint{Size: uint64(from), Root: root, Epoch: "e", Time: testTime}, signer)
		if err != nil {
			t.Fatal(err)
		}
		before = Entry{Sequence: 2, Began: 2, Size: uint64(from), Signed: string(signed)}
	}
	e, err := MakeEntry(before, &tree, leaves[from:], "e", testTime, signer)
	if err != nil {
		t.Fatal(err)
	}
	if e.Sequence = 3; from == 0 {
		e.Began = 3
	}
	return e
}

func TestTheLeavesOfAnEntryAreThoseItWasMadeOf(t *testing.T) {
	for from := range 70 {
		e := grown(t, from, from+13)
		if got, want := e.Leaves(), testLeaves(from + 13)[from:]; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("from %d: %d leaves, want %d", from, len(got), len(want))
		}
	}
	e := grown(t, 5, 20)
	e.Hashes = e.Hashes[:len(e.Hashes)/2]
	if got := len(e.Leaves()); got == 0 || got >= 15 {
		t.Errorf("half of the hashes give %d leaves", got)
	}
}

func TestTheLargestEntryFitsIntoAMessage(t *testing.T) {
	e := grown(t, 2*MaxLeaves+95, 3*MaxLeaves+95)
	message, err := json.Marshal(&e)
	if err != nil || len(message) > 512<<10 {
		t.Errorf("%d bytes, %v", len(message), err)
	}
	if got, err := decode(3, message); err != nil || got.Size != e.Size || !bytes.Equal(got.Hashes, e.Hashes) {
		t.Errorf("it is not read as it was written: %v", err)
	}
}

func TestWhatIsNoEntryIsNotDecoded(t *testing.T) {
	good := grown(t, 5, 9)
	if err := good.check(); err != nil {
		t.Fatal(err)
	}
	other := grown(t, 5, 10)
	for name, change := range map[string]func(e *Entry){
		"size 0":              func(e *Entry) { e.From, e.Size = 0, 0 },
		"no leaf":             func(e *Entry) { e.From = e.Size },
		"size below":          func(e *Entry) { e.From = e.Size + 1 },
		"size huge":           func(e *Entry) { e.From, e.Size = 1<<63, 1<<63+1 },
		"too many leaves":     func(e *Entry) { e.Size = e.From + MaxLeaves + 1 },
		"hash too few":        func(e *Entry) { e.Hashes = e.Hashes[tlog.HashSize:] },
		"byte too many":       func(e *Entry) { e.Hashes = append(bytes.Clone(e.Hashes), 0) },
		"no hashes":           func(e *Entry) { e.Hashes = nil },
		"no tree":             func(e *Entry) { e.Began = 0 },
		"tree of the future":  func(e *Entry) { e.Began = 4 },
		"begins in between":   func(e *Entry) { e.Began = 3 },
		"begins not":          func(e *Entry) { *e = grown(t, 0, 9); e.Began = 2 },
		"no checkpoint":       func(e *Entry) { e.Signed = "" },
		"no note":             func(e *Entry) { e.Signed = "test\n9\n" },
		"checkpoint of other": func(e *Entry) { e.Signed = other.Signed },
	} {
		e := good
		change(&e)
		message, err := json.Marshal(&e)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decode(3, message); err == nil {
			t.Errorf("%s: decoded as %+v", name, got)
		}
	}
	for _, message := range []string{"", "{}", "null", "[]", "x", `{"size":-1}`, `{"hashes":"*"}`} {
		if got, err := decode(1, []byte(message)); err == nil {
			t.Errorf("%q: decoded as %+v", message, got)
		}
	}
}

func TestWhatCannotFollowIsNotMade(t *testing.T) {
	signer, leaves := testSigner(t), testLeaves(10)
	var tree Tree
	first, err := MakeEntry(Entry{}, &tree, leaves[:4], "e", testTime, signer)
	if err != nil || first.Began != 0 || first.From != 0 || first.Size != 4 {
		t.Fatalf("%+v, %v", first, err)
	}
	first.Sequence, first.Began = 1, 1
	longer := first
	longer.Signed = grown(t, 5, 9).Signed
	for name, make := range map[string]func() (Entry, error){
		"no leaves":       func() (Entry, error) { return MakeEntry(first, &tree, nil, "e", testTime, signer) },
		"too many leaves": func() (Entry, error) { return MakeEntry(first, &tree, testLeaves(MaxLeaves+1), "e", testTime, signer) },
		"another epoch":   func() (Entry, error) { return MakeEntry(first, &tree, leaves[4:], "f", testTime, signer) },
		"no epoch":        func() (Entry, error) { return MakeEntry(Entry{}, &Tree{}, leaves, "", testTime, signer) },
		"another tree":    func() (Entry, error) { return MakeEntry(longer, &tree, leaves[4:], "e", testTime, signer) },
		"no entry before": func() (Entry, error) { return MakeEntry(Entry{}, &tree, leaves[4:], "e", testTime, signer) },
	} {
		if e, err := make(); err == nil || tree.Size() != 4 {
			t.Errorf("%s: %+v, tree of %d", name, e, tree.Size())
		}
	}
	// And the tree is none the worse for it.
	e, err := MakeEntry(first, &tree, leaves[4:], "e", testTime, signer)
	if err != nil || e.Began != 1 || e.From != 4 || e.Size != 10 || tree.Size() != 10 {
		t.Errorf("%+v, %v", e, err)
	}
	c, err := e.Checkpoint()
	root, _ := tree.Root()
	if err != nil || c.Root != root || c.Size != 10 || c.Epoch != "e" || !c.Time.Equal(testTime) {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestFollows also has what one who signs as he likes can make.
func TestFollows(t *testing.T) {
	before, e := grown(t, 0, 5), grown(t, 5, 9)
	before.Sequence, before.Began = 2, 2
	for name, c := range map[string]struct {
		change func(before, e *Entry)
		want   string
	}{
		"as made":       {func(_, _ *Entry) {}, ""},
		"another tree":  {func(_, e *Entry) { *e = grown(t, 0, 9) }, ""},
		"size skipped":  {func(before, _ *Entry) { before.Size = 4 }, "from size 5"},
		"tree mixed up": {func(before, _ *Entry) { before.Began = 1 }, "of tree 2"},
		"epoch":         {func(before, _ *Entry) { before.Signed = strings.Replace(before.Signed, "epoch e", "epoch f", 1) }, "epoch e"},
	} {
		b, f := before, e
		c.change(&b, &f)
		if err := f.follows(&b); err == nil && c.want != "" || err != nil && (c.want == "" || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, from := range []int{0, 3} {
		e := grown(f, from, 9)
		message, err := json.Marshal(&e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(message)
	}
	f.Add([]byte(`{"began":3,"size":1,"hashes":"AAAA","checkpoint":"a\n1\n"}`))
	f.Fuzz(func(t *testing.T, message []byte) {
		e, err := decode(3, message)
		if err != nil {
			if e.Size != 0 {
				t.Errorf("%+v with %v", e, err)
			}
			return
		}
		if n := len(e.Leaves()); uint64(n) != e.Size-e.From || n < 1 || n > MaxLeaves {
			t.Errorf("%d leaves from %d to %d", n, e.From, e.Size)
		}
		again, err := json.Marshal(&e)
		if err != nil {
			t.Fatal(err)
		}
		if other, err := decode(3, again); err != nil || fmt.Sprint(other) != fmt.Sprint(e) {
			t.Errorf("%+v is decoded as %+v, %v", e, other, err)
		}
	})
}
