package notary_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// key is a new one.
func key(t testing.TB, name string) (note.Signer, note.Verifier) {
	t.Helper()
	secret, public, err := notary.GenerateKey(name)
	if err != nil {
		t.Fatal(err)
	}
	signer, err1 := note.NewSigner(secret)
	verifier, err2 := note.NewVerifier(public)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return signer, verifier
}

var someTime = time.Date(2026, 11, 21, 17, 31, 5, 0, time.UTC)

func some() notary.Checkpoint {
	return notary.Checkpoint{Size: 4711, Root: numbers(3)[2], Epoch: "gLtWxE0zDJXN", Time: someTime}
}

func sign(t testing.TB, c notary.Checkpoint, signer note.Signer) []byte {
	t.Helper()
	signed, err := notary.Sign(c, signer)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestACheckpointIsReadAsItWasSigned(t *testing.T) {
	signer, verifier := key(t, "chat.example.org/tidemark")
	for name, at := range map[string]time.Time{
		"utc": someTime, "zone": someTime.In(time.FixedZone("x", 7200)), "fraction": someTime.Add(999 * time.Millisecond),
	} {
		c := some()
		c.Origin, c.Time = "whoever", at
		signed := sign(t, c, signer)
		want := some()
		want.Origin = signer.Name()
		if got, err := notary.Verify(signed, verifier); err != nil || got != want {
			t.Errorf("%s: Verify gives %+v, %v", name, got, err)
		}
		if got, err := notary.Read(signed); err != nil || got != want {
			t.Errorf("%s: Read gives %+v, %v", name, got, err)
		}
	}
}

func TestTheTextOfACheckpoint(t *testing.T) {
	signer, _ := key(t, "tidemark")
	const want = "tidemark\n4711\n" +
		"2B9ReB7rj0ag4RLobKM1iWzMEs7gDmz89Yo1ARKd/CQ=\n" +
		"epoch gLtWxE0zDJXN\ntime 2026-11-21T17:31:05Z\n\n— tidemark "
	if got := string(sign(t, some(), signer)); !strings.HasPrefix(got, want) {
		t.Errorf("%s", got)
	}
}

func TestNothingIsSignedThatCouldNotBeVerified(t *testing.T) {
	signer, _ := key(t, "tidemark")
	for name, change := range map[string]func(*notary.Checkpoint){
		"no epoch":         func(c *notary.Checkpoint) { c.Epoch = "" },
		"epoch of lines":   func(c *notary.Checkpoint) { c.Epoch = "a\nb" },
		"epoch of escapes": func(c *notary.Checkpoint) { c.Epoch = "\u202e" },
		"year 12345":       func(c *notary.Checkpoint) { c.Time = time.Date(12345, 1, 1, 0, 0, 0, 0, time.UTC) },
		"size over 63 bit": func(c *notary.Checkpoint) { c.Size = 1 << 63 },
	} {
		c := some()
		change(&c)
		if signed, err := notary.Sign(c, signer); err == nil {
			t.Errorf("%s: signed\n%s", name, signed)
		}
	}
}

// TestACheckpointAlteredByOneByteIsRefused tries every byte with each bit flipped, and with what means something in a note.
func TestACheckpointAlteredByOneByteIsRefused(t *testing.T) {
	signer, verifier := key(t, "tidemark")
	signed := sign(t, some(), signer)
	for i, was := range signed {
		values := []byte("\n\r \x00+=-/09AZaz\xe2")
		for bit := range 8 {
			values = append(values, was^1<<bit)
		}
		for _, value := range values {
			if signed[i] = value; value == was {
				continue
			}
			if c, err := notary.Verify(signed, verifier); err == nil || c != (notary.Checkpoint{}) || !fault.Is(err, fault.Corrupt) {
				t.Fatalf("byte %d from %#x to %#x: %+v, %v", i, was, value, c, err)
			}
		}
		signed[i] = was
	}
	for i := range signed {
		if _, err := notary.Verify(signed[:i], verifier); err == nil {
			t.Errorf("cut to %d bytes: no error", i)
		}
	}
	if _, err := notary.Verify(signed, verifier); err != nil {
		t.Fatal(err)
	}
}

func TestOnlyOneSignatureByTheKeyAskedForVerifies(t *testing.T) {
	signer, verifier := key(t, "tidemark")
	namesake, _ := key(t, "tidemark")
	other, _ := key(t, "other")
	signed := string(sign(t, some(), signer))
	line := signed[strings.Index(signed, "— "):]
	foreign := string(sign(t, some(), other))
	for name, text := range map[string]string{
		"namesake":       string(sign(t, some(), namesake)),
		"other":          foreign,
		"both":           signed + foreign[strings.Index(foreign, "— "):],
		"twice":          signed + line,
		"none":           strings.TrimSuffix(signed, line),
		"nothing":        "",
		"more text":      "x\n" + signed,
		"text in behind": strings.Replace(signed, "\n\n", "\nx\n\n", 1),
	} {
		if _, err := notary.Verify([]byte(text), verifier); !errors.Is(err, notary.ErrSignature) || !fault.Is(err, fault.Corrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWhatIsSignedAndIsNoCheckpointIsRefused signs texts as nobody who uses Sign can.
func TestWhatIsSignedAndIsNoCheckpointIsRefused(t *testing.T) {
	signer, verifier := key(t, "tidemark")
	whole := string(sign(t, some(), signer))
	text := whole[:strings.Index(whole, "\n\n")+1]
	for name, change := range map[string][2]string{
		"another origin":     {"tidemark", "tidemork"},
		"origin with spaces": {"tidemark", "tide mark"},
		"escape in origin":   {"tidemark", "tide\u202emark"},
		"size with zero":     {"4711", "04711"},
		"size with plus":     {"4711", "+4711"},
		"negative size":      {"4711", "-4711"},
		"huge size":          {"4711", "9223372036854775808"},
		"no size":            {"4711", ""},
		"root of 31 bytes":   {"2B9R", ""},
		"root written else":  {"/CQ=", "/CR="},
		"no epoch":           {"epoch gLtWxE0zDJXN", "epoch "},
		"epoch unnamed":      {"epoch gLtWxE0zDJXN", "gLtWxE0zDJXN"},
		"epoch of two":       {"epoch gLtWxE0zDJXN", "epoch gLtW xE0z"},
		"time unnamed":       {"time 2026", "2026"},
		"time of zone":       {"05Z", "05+00:00"},
		"time with fraction": {"05Z", "05.5Z"},
		"no time":            {"time 2026-11-21T17:31:05Z", "time "},
		"line too many":      {"time", "x\ntime"},
		"line too few":       {"time 2026-11-21T17:31:05Z\n", ""},
	} {
		altered := strings.Replace(text, change[0], change[1], 1)
		if altered == text {
			t.Fatalf("%s: nothing altered", name)
		}
		signed, err := note.Sign(&note.Note{Text: altered}, signer)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := notary.Verify(signed, verifier); !fault.Is(err, fault.Corrupt) || errors.Is(err, notary.ErrSignature) || c != (notary.Checkpoint{}) {
			t.Errorf("%s: Verify gives %+v, %v", name, c, err)
		}
		if c, err := notary.Read(signed); name != "another origin" && (!fault.Is(err, fault.Corrupt) || c != (notary.Checkpoint{})) {
			t.Errorf("%s: Read gives %+v, %v", name, c, err)
		}
	}
}

func FuzzReadAndVerify(f *testing.F) {
	signer, verifier := key(f, "tidemark")
	good := string(sign(f, some(), signer))
	f.Add(good)
	f.Add(strings.Replace(good, "4711", "0", 1))
	f.Add("a\n1\n\n— a b\n")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := notary.Read([]byte(text))
		if err != nil && (c != notary.Checkpoint{} || !fault.Is(err, fault.Corrupt)) {
			t.Errorf("Read gives %+v with %v", c, err)
		}
		if err == nil { // what is read can be written, to the same text
			c.Origin = signer.Name()
			again, err := notary.Read(sign(t, c, signer))
			if err != nil || again != c {
				t.Errorf("%+v is read as %+v, %v", c, again, err)
			}
		}
		if _, err := notary.Verify([]byte(text), verifier); err == nil && text != good {
			t.Errorf("verified, and never signed: %q", text)
		}
	})
}
