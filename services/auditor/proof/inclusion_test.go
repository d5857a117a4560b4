package proof_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/tidemark-chat/tidemark/services/auditor/proof"
	"github.com/tidemark-chat/tidemark/services/auditor/proof/prooftest"
	"github.com/tidemark-chat/tidemark/services/auditor/record"
)

var update = flag.Bool("update", false, "write the golden files anew")

// recorded is a message that was never said.
func recorded(offset uint64, content string) record.Record {
	e := prooftest.Message(offset, content)
	return record.Of(&e)
}

// include is the proof file of the event at an offset.
func include(t testing.TB, log *prooftest.Log, offset uint64) []byte {
	t.Helper()
	signed := log.Sign()
	p, err := proof.Include(log.Events[offset-1], signed.Note, signed.Checkpoint, log)
	if err != nil {
		t.Fatal(err)
	}
	file, err := proof.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// check is what check-proof does with a file.
func check(file []byte, verifier note.Verifier) (record.Record, error) {
	p, err := proof.ReadInclusion(file)
	if err != nil {
		return record.Record{}, err
	}
	_, err = p.Check(verifier)
	return p.Event, err
}

func TestAProofFileHasOneForm(t *testing.T) {
	log := prooftest.Write(t, "one", "two <b>&</b> \u2028 \x00\b\f\t\n\r\x1b[0m\x7f\u009b \u202e ünï 🌊 \U000e0041", "three", "four", "five")
	file := include(t, log, 2)
	const golden = "testdata/inclusion.json"
	if *update {
		if err := os.WriteFile(golden, file, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file, want) {
		t.Errorf(" got %s\nwant %s", file, want)
	}
	_, verifier := prooftest.Keys(t)
	if event, err := check(want, verifier); err != nil || event != log.Events[1] {
		t.Errorf("%v: %+v", err, event)
	}
}

func TestAProofOfWhichAnyByteWasAlteredIsRefused(t *testing.T) {
	file := include(t, prooftest.Write(t, prooftest.Many(5)...), 2)
	_, verifier := prooftest.Keys(t)
	for i := range file {
		for _, with := range []byte{1, 2, 32, 128} {
			altered := bytes.Clone(file)
			altered[i] ^= with
			if _, err := check(altered, verifier); !errors.Is(err, proof.ErrRefused) {
				t.Fatalf("byte %d as %q: %v", i, altered[i], err)
			}
		}
		for _, altered := range [][]byte{
			append(bytes.Clone(file[:i]), file[i+1:]...),                          // left out
			append(append(bytes.Clone(file[:i]), file[i]), file[i:]...),           // doubled
			append(append(bytes.Clone(file[:i]), ' '), file[i:]...),               // a space
			append(append(bytes.Clone(file[:i]), '\n'), file[i:]...),              // a line
			append(append(bytes.Clone(file[:i]), "\xef\xbb\xbf"...), file[i:]...), // a byte order mark
			file[:i], // cut short
		} {
			if bytes.Equal(altered, file) {
				continue
			}
			if _, err := check(altered, verifier); !errors.Is(err, proof.ErrRefused) {
				t.Fatalf("at byte %d: %q: %v", i, altered, err)
			}
		}
	}
}

func TestJSONThatMeansTheSameIsRefused(t *testing.T) {
	file := string(include(t, prooftest.Write(t, prooftest.Many(5)...), 2))
	_, verifier := prooftest.Keys(t)
	if _, err := check([]byte(file), verifier); err != nil {
		t.Fatal(err)
	}
	for name, altered := range map[string]string{
		"a key's spelling":    strings.Replace(file, `"event"`, `"Event"`, 1),
		"an escape":           strings.Replace(file, `message 2`, `m\u0065ssage 2`, 1),
		"an unknown field":    strings.Replace(file, `{"kind"`, `{"more":1,"kind"`, 1),
		"a field twice":       strings.Replace(file, `{"kind"`, `{"kind":"x","kind"`, 1),
		"an event's field":    strings.Replace(file, `"schema":1`, `"schema":1,"schema":1`, 1),
		"no new line":         strings.TrimSuffix(file, "\n"),
		"two new lines":       file + "\n",
		"Windows":             strings.Replace(file, "\n", "\r\n", 1),
		"a second value":      file + file,
		"a number's spelling": strings.Replace(file, `"offset":2`, `"offset":2e0`, 1),
		"a time zone":         strings.Replace(file, `T00:00:00.123456789Z`, `T02:00:00.123456789+02:00`, 1),
		"a zone without one":  strings.Replace(file, `00.123456789Z`, `00.123456789+00:00`, 1),
		"an empty hash":       strings.Replace(file, `=",`, `=","",`, 1),
		"no hashes":           `{"kind":"tidemark.inclusion/1","hashes":null}` + "\n",
		"an explanation":      strings.Replace(file, `"schema":1`, `"schema":1,"damaged":""`, 1),
	} {
		if altered == file {
			t.Errorf("%s: nothing was altered", name)
		}
		if _, err := check([]byte(altered), verifier); !errors.Is(err, proof.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// alter reads a proof, alters it and writes it in the right form.
func alter(t *testing.T, file []byte, how func(*proof.Inclusion)) []byte {
	t.Helper()
	p, err := proof.ReadInclusion(file)
	if err != nil {
		t.Fatal(err)
	}
	how(p)
	altered, err := proof.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	return altered
}

func TestAProofThatProvesSomethingElseIsRefused(t *testing.T) {
	log := prooftest.Write(t, prooftest.Many(5)...)
	file := include(t, log, 2)
	forged := recorded(2, "forged")
	grown := prooftest.Write(t, prooftest.Many(6)...)
	_, verifier := prooftest.Keys(t)
	for name, how := range map[string]func(*proof.Inclusion){
		"another event with a digest of its own": func(p *proof.Inclusion) { p.Event = forged },
		"another event of the log":               func(p *proof.Inclusion) { p.Event = log.Events[2] },
		"another offset":                         func(p *proof.Inclusion) { p.Event.Offset = 3 },
		"offset 0":                               func(p *proof.Inclusion) { p.Event.Offset = 0 },
		"an offset beyond":                       func(p *proof.Inclusion) { p.Event.Offset = 6 },
		"an offset beyond all":                   func(p *proof.Inclusion) { p.Event.Offset = 1<<64 - 1 },
		"another time":                           func(p *proof.Inclusion) { p.Event.At = p.Event.At.Add(1) },
		"another zone":                           func(p *proof.Inclusion) { p.Event.At = p.Event.At.Local() },
		"584 years later":                        func(p *proof.Inclusion) { p.Event.At = p.Event.At.Add(1<<63 - 1).Add(1<<63 - 1).Add(2) },
		"no hashes":                              func(p *proof.Inclusion) { p.Hashes = p.Hashes[:0] },
		"null for hashes":                        func(p *proof.Inclusion) { p.Hashes = nil },
		"a hash less":                            func(p *proof.Inclusion) { p.Hashes = p.Hashes[1:] },
		"a hash more":                            func(p *proof.Inclusion) { p.Hashes = append(p.Hashes, p.Hashes[0]) },
		"hashes swapped":                         func(p *proof.Inclusion) { p.Hashes[0], p.Hashes[1] = p.Hashes[1], p.Hashes[0] },
		"another checkpoint":                     func(p *proof.Inclusion) { p.Checkpoint = grown.Sign().Note },
		"another kind":                           func(p *proof.Inclusion) { p.Kind = proof.KindConsistency },
		"two signatures": func(p *proof.Inclusion) {
			_, line, _ := strings.Cut(p.Checkpoint, "\n\n")
			p.Checkpoint += line
		},
		"bits beside the signature": func(p *proof.Inclusion) {
			last := strings.LastIndex(p.Checkpoint, "=") - 1
			p.Checkpoint = p.Checkpoint[:last] + string(p.Checkpoint[last]+1) + p.Checkpoint[last+1:]
		},
	} {
		altered := alter(t, file, how)
		if bytes.Equal(altered, file) && name != "another zone" {
			t.Errorf("%s: nothing was altered", name)
		}
		if _, err := check(altered, verifier); !bytes.Equal(altered, file) && !errors.Is(err, proof.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnotherKeyIsRefusedAlsoWithTheSameName(t *testing.T) {
	_, public, err := note.GenerateKey(rand.Reader, "tidemark")
	if err != nil {
		t.Fatal(err)
	}
	other, err := note.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := check(include(t, prooftest.Write(t, prooftest.Many(3)...), 1), other); !errors.Is(err, proof.ErrRefused) ||
		!strings.Contains(err.Error(), `signed by "tidemark+fc844076", and not by `+proof.KeyName(other)) {
		t.Errorf("%v", err)
	}
}

func TestEveryEventOfATreeOfAnySizeIsProved(t *testing.T) {
	log := prooftest.Write(t)
	_, verifier := prooftest.Keys(t)
	for size := uint64(1); size <= 40; size++ {
		log.Say(prooftest.Many(40)[size-1])
		for offset := uint64(1); offset <= size; offset++ {
			file := include(t, log, offset)
			event, err := check(file, verifier)
			if err != nil || event.Offset != offset {
				t.Fatalf("%d of %d: %v", offset, size, err)
			}
		}
	}
}

func TestWhatCannotBeProvedIsNotMadeAProof(t *testing.T) {
	log := prooftest.Write(t, prooftest.Many(5)...)
	signed := log.Sign()
	damaged, binary := log.Events[1], recorded(2, "a\xffb")
	damaged.Content = "forged"
	log.Say("six")
	for name, event := range map[string]record.Record{
		"altered": recorded(2, "forged"), "damaged": damaged, "not UTF-8": binary, "beyond": log.Events[5], "nowhere": {},
	} {
		if p, err := proof.Include(event, signed.Note, signed.Checkpoint, log); err == nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestAWrongHashOfTheTreeIsFoundBeforeAProofIsMade(t *testing.T) {
	log := prooftest.Write(t, prooftest.Many(5)...)
	signed := log.Sign()
	log.Hashes[6][0] ^= 1 // of the offsets 1 to 4
	_, err := proof.Include(log.Events[4], signed.Note, signed.Checkpoint, log)
	if !errors.Is(err, proof.ErrRefused) || !strings.Contains(err.Error(), "AUDIT") {
		t.Errorf("%v", err)
	}
}

func FuzzReadInclusion(f *testing.F) {
	file := include(f, prooftest.Write(f, prooftest.Many(5)...), 2)
	_, verifier := prooftest.Keys(f)
	f.Add(file)
	f.Fuzz(func(t *testing.T, altered []byte) {
		if _, err := check(altered, verifier); (err == nil) != bytes.Equal(altered, file) {
			t.Errorf("%q: %v", altered, err)
		}
	})
}
