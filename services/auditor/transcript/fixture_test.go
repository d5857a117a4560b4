package transcript_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/tidemark-chat/tidemark/services/auditor/proof"
	"github.com/tidemark-chat/tidemark/services/auditor/proof/prooftest"
	"github.com/tidemark-chat/tidemark/services/auditor/record"
	"github.com/tidemark-chat/tidemark/services/auditor/transcript"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// hostile is a message that wants to be more than text.
const hostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)> \u202eevil\u202c \x1b[31m \x00 {{.}} '\"&\r\n]]><!-- שלום"

// general is a log of a room with a stranger in between.
func general(t testing.TB) *prooftest.Log {
	t.Helper()
	log := prooftest.Write(t, "good evening", hostile)
	other := event.NewPosted("", subject.Conversation{Kind: subject.Room, Name: "other"}, "elsewhere")
	log.Append(other)
	log.Say("good night")
	return log
}

// direct is a log of a direct conversation in which b changed his name.
func direct(t testing.TB) *prooftest.Log {
	t.Helper()
	log := prooftest.Write(t)
	say := func(from, name, to, content string) {
		e := event.NewPosted("", subject.Conversation{Kind: subject.DM, Name: subject.PairName(from, to)}, content)
		e.Sender, e.SenderName, e.Recipient = from, name, to
		log.Append(e)
	}
	say("id-a", "Ann <a>", "id-b", "hello")
	say("id-b", "Bob", "id-a", "hi")
	say("id-b", "Robert", "id-a", "it is me")
	return log
}

// write makes both files of the events of a conversation, proved by a checkpoint, and returns them.
func write(t testing.TB, log *prooftest.Log, conversation string, signed proof.Signed) (lines, page []byte) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "made")
	d, err := transcript.Begin(dir, transcript.Header{
		Conversation: conversation, First: 1, Last: uint64(len(log.Events)), Checkpoint: signed.Note,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range log.Events {
		if r.Conversation == conversation {
			add(t, d, r, signed, log)
		}
	}
	if err := d.Finish(); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("left: %v, %v", left, err)
	}
	return readFile(t, dir, transcript.LinesFile), readFile(t, dir, transcript.PageFile)
}

func add(t testing.TB, d *transcript.Draft, r record.Record, signed proof.Signed, log *prooftest.Log) {
	t.Helper()
	if r.Damaged != "" || r.Offset > signed.Checkpoint.Size {
		if err := d.Add(r, nil); err != nil {
			t.Fatal(err)
		}
		return
	}
	path, err := proof.Path(&r, signed.Checkpoint, log)
	if err == nil {
		err = d.Add(r, path)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func readFile(t testing.TB, dir, name string) []byte {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func checkLines(t testing.TB, lines []byte) (*transcript.Result, error) {
	t.Helper()
	_, verifier := prooftest.Keys(t)
	return transcript.Check(bytes.NewReader(lines), verifier)
}

func checkPage(t testing.TB, page []byte) (*transcript.Result, error) {
	t.Helper()
	_, verifier := prooftest.Keys(t)
	return transcript.CheckPage(bytes.NewReader(page), int64(len(page)), verifier)
}
