package transcript_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/auditor/proof"
	"github.com/tidemark-chat/tidemark/services/auditor/proof/prooftest"
	"github.com/tidemark-chat/tidemark/services/auditor/record"
	"github.com/tidemark-chat/tidemark/services/auditor/transcript"
)

// forge makes the lines of a transcript that may be wrong, with a header whose checksum is right.
func forge(t *testing.T, log *prooftest.Log, how func(*transcript.Header), events ...record.Record) []byte {
	t.Helper()
	signed := log.Sign()
	h := transcript.Header{Conversation: "room:general", First: 1, Last: uint64(len(log.Events)), Checkpoint: signed.Note}
	how(&h)
	dir := t.TempDir()
	d, err := transcript.Begin(dir, h)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, r := range events {
		path, err := proof.Path(&log.Events[r.Offset-1], signed.Checkpoint, log)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Add(r, path); err != nil {
			t.Fatal(err)
		}
	}
	_ = d.Finish() // the page may refuse it, the lines are there before it
	return readFile(t, dir, transcript.LinesFile)
}

func TestWhoeverMakesANewHeaderIsStillBoundByTheProofs(t *testing.T) {
	log := general(t)
	first, second, other, fourth := log.Events[0], log.Events[1], log.Events[2], log.Events[3]
	as := func(*transcript.Header) {}
	if _, err := checkLines(t, forge(t, log, as, first, second, fourth)); err != nil {
		t.Fatal(err)
	}
	altered := prooftest.Message(2, "forged")
	moved := first
	moved.At = moved.At.Add(time.Second)
	for name, file := range map[string][]byte{
		"an altered message":              forge(t, log, as, first, record.Of(&altered)),
		"an altered time":                 forge(t, log, as, moved),
		"a message of another room":       forge(t, log, as, first, other),
		"a message in the wrong order":    forge(t, log, as, second, first),
		"a message twice":                 forge(t, log, as, first, first),
		"a message before the span":       forge(t, log, func(h *transcript.Header) { h.First = 2 }, first),
		"a message behind the span":       forge(t, log, func(h *transcript.Header) { h.Last = 3 }, fourth),
		"no message at all":               forge(t, log, as),
		"a span of nothing":               forge(t, log, func(h *transcript.Header) { h.First, h.Last = 4, 1 }, first),
		"a span that nobody has signed":   forge(t, log, func(h *transcript.Header) { h.Last = 1_000_000 }, first),
		"a message before the time meant": forge(t, log, func(h *transcript.Header) { h.Since = first.At.Add(1) }, first),
		"a message behind the time meant": forge(t, log, func(h *transcript.Header) { h.Until = first.At }, first),
		"a bound not in UTC":              forge(t, log, func(h *transcript.Header) { h.Since = first.At.In(time.FixedZone("", 60)) }, first),
		"another log's checkpoint":        forge(t, log, func(h *transcript.Header) { h.Checkpoint = prooftest.Write(t, prooftest.Many(4)...).Sign().Note }, first),
		"no checkpoint":                   forge(t, log, func(h *transcript.Header) { h.Checkpoint = "" }, first),
	} {
		if _, err := checkLines(t, file); !errors.Is(err, proof.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatIsNewerThanTheCheckpointOrDamagedIsMarkedInBoth(t *testing.T) {
	log := prooftest.Write(t, "one")
	signed := log.Sign()
	log.Say("too new")
	damaged := log.Events[0]
	damaged.Offset, damaged.Content, damaged.Damaged = 3, "a\xff\x1bb", "the digest does not fit <"
	log.Events = append(log.Events, damaged)
	lines, page := write(t, log, "room:general", signed)
	result, err := checkLines(t, lines)
	if err != nil {
		t.Fatal(err)
	}
	if result.Proved != 1 || result.Header.Unproved != 2 || result.Header.Events != 3 {
		t.Errorf("%+v", result)
	}
	if _, err := checkPage(t, page); err != nil {
		t.Error(err)
	}
	for _, text := range []string{"Not proved: newer than the checkpoint", "Nothing here can be relied on: the digest does not fit", "2 of them not proved"} {
		if !strings.Contains(string(page), text) {
			t.Errorf("the page does not say %q", text)
		}
	}
}

func TestAMessageThatTheCheckpointCoversNeedsItsProof(t *testing.T) {
	log := prooftest.Write(t, "one", "two")
	dir := t.TempDir()
	d, err := transcript.Begin(dir, transcript.Header{Conversation: "room:general", First: 1, Last: 2, Checkpoint: log.Sign().Note})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Add(log.Events[0], nil); err != nil {
		t.Fatal(err)
	}
	if err := d.Finish(); !errors.Is(err, proof.ErrRefused) {
		t.Errorf("the page: %v", err)
	}
	if _, err := checkLines(t, readFile(t, dir, transcript.LinesFile)); !errors.Is(err, proof.ErrRefused) {
		t.Errorf("the lines: %v", err)
	}
}

func TestAnUnprovedMessageIsAtLeastWhatItsDigestSays(t *testing.T) {
	log := prooftest.Write(t, "one")
	signed := log.Sign()
	log.Say("two")
	log.Events[1].Content = "forged"
	dir := t.TempDir()
	d, err := transcript.Begin(dir, transcript.Header{Conversation: "room:general", First: 1, Last: 2, Checkpoint: signed.Note})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Add(log.Events[1], nil); err != nil {
		t.Fatal(err)
	}
	if err := d.Finish(); !errors.Is(err, proof.ErrRefused) {
		t.Error(err)
	}
}
