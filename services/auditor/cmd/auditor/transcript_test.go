package main

import (
	"os"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/logtest"
)

// talked is a stand with a room, another room and a direct conversation, all signed in two checkpoints.
func talked(t *testing.T) *stand {
	t.Helper()
	s := newStand(t)
	logtest.Publish(t, s.js, user(t, "a1", "alice"), user(t, "b1", "bob"))
	s.say("hello <script>alert(1)</script> \x1b[31m")
	logtest.Publish(t, s.js, logtest.Message(t, "other", "elsewhere"))
	s.tell("a1", "alice", "b1", "psst")
	s.sign()
	s.tell("b1", "bob", "a1", "what?")
	s.say("good bye")
	s.sign()
	return s
}

func TestATranscriptIsHandedOver(t *testing.T) {
	s := talked(t)
	out := s.path("out/general")
	s.auditor("transcript", "--room", "general", "--out", out, "--key", s.pub).want(t, 0,
		"transcript.html\n", "transcript.ndjson\n", `2 messages of "room:general" from offset 1 to 7, 2 of them proved by the checkpoint of 7`)
	page := s.read("out/general/transcript.html")
	for _, name := range []string{"transcript.html", "transcript.ndjson"} {
		auditor(t, "nonsense", "", "check-proof", out+"/"+name, "--key", s.pub).want(t, 0,
			`proved: 2 of 2 messages of "room:general"`, "offsets 1 to 7", "not proved: that no message was left out")
		auditor(t, "nonsense", s.read("out/general/"+name), "check-proof", "-", "--key", s.pub).want(t, 0)
		auditor(t, "nonsense", strings.Replace(s.read("out/general/"+name), "good bye", "good day", 1), "check-proof", "-", "--key", s.pub).want(t, 1, "refused")
	}
	// The same again is the same.
	quiet := s.auditor("transcript", "--room", "general", "--out", out, "--quiet")
	if quiet.want(t, 0); quiet.stderr != "the signature was not verified, for there is no key: give the notary's with --key\n" {
		t.Errorf("quietly it says %q", quiet.stderr)
	}
	if quiet = s.auditor("transcript", "--room", "general", "--out", out, "--quiet", "--key", s.pub); quiet.stderr != "" {
		t.Errorf("quietly, with a key, it says %q", quiet.stderr)
	}
	if again := s.read("out/general/transcript.html"); again != page {
		t.Error("made again, it is another one")
	}
	if info, err := os.Stat(out + "/transcript.html"); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestATranscriptOfTwoPeopleHasTheirNames(t *testing.T) {
	s := talked(t)
	s.auditor("transcript", "--between", "alice,bob", "--out", s.path("out")).want(t, 0, "2 messages of", "the signature was not verified")
	if page := s.read("out/transcript.html"); !strings.Contains(page, "Transcript: alice and bob</title>") || strings.Contains(page, "hello") {
		t.Error(page)
	}
	auditor(t, "", "", "check-proof", s.path("out/transcript.html"), "--key", s.pub).want(t, 0, `user          "alice", id "a1"`, `user          "bob", id "b1"`)
}

func TestATranscriptOfASpan(t *testing.T) {
	s := talked(t)
	s.auditor("transcript", "--room", "general", "--from", "4", "--to", "7", "--out", s.path("out")).want(t, 0, "1 messages", "from offset 4 to 7")
	auditor(t, "", "", "check-proof", s.path("out/transcript.ndjson"), "--key", s.pub).want(t, 0, "offsets 4 to 7 were read")
	s.auditor("transcript", "--room", "general", "--since", "1h", "--until", "2100-01-01", "--out", s.path("out")).want(t, 0, "2 messages")
	auditor(t, "", "", "check-proof", s.path("out/transcript.html"), "--key", s.pub).want(t, 0)
}

func TestWhatIsNotSignedYetIsLeftOutUnlessItWasAskedFor(t *testing.T) {
	s := talked(t)
	s.say("too new")
	out := s.path("out")
	s.auditor("transcript", "--room", "general", "--out", out).want(t, 0, "2 messages", "1 newer offsets are not signed yet and were left out")
	s.auditor("transcript", "--room", "other", "--to", "8", "--out", out).want(t, 0, "1 messages", "from offset 1 to 7") // what is too new is elsewhere
	auditor(t, "", "", "check-proof", out+"/transcript.html", "--key", s.pub).want(t, 0, "offsets 1 to 7 were read")
	s.auditor("transcript", "--room", "general", "--to", "8", "--out", s.path("refused")).want(t, 2,
		"offset 8 is not signed yet: the newest checkpoint covers the offsets from 1 to 7", "--unproved")
	s.auditor("transcript", "--room", "general", "--from", "8", "--out", s.path("refused")).want(t, 2, "nothing from offset 8 on is signed yet")
	if left, err := os.ReadDir(s.path("refused")); err == nil && len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	s.auditor("transcript", "--room", "general", "--unproved", "--out", out).want(t, 0, "3 messages", "2 of them proved")
	for _, name := range []string{"/transcript.html", "/transcript.ndjson"} {
		auditor(t, "", "", "check-proof", out+name, "--key", s.pub).want(t, 1, "2 of 3 messages", "1 of the 3 events in it are not proved")
	}
}

func TestDamagedMessagesAndHolesAreNotPassedOver(t *testing.T) {
	s := newStand(t)
	s.say("one")
	lost := s.say("lost")
	s.say("a\xff")
	s.damage()
	s.sign()
	s.remove(lost)
	s.auditor("transcript", "--room", "general", "--out", s.path("out")).want(t, 1, "nothing can be proved of the event at offset 3", "not UTF-8")
	s.auditor("transcript", "--room", "general", "--unproved", "--out", s.path("out")).want(t, 1, "3 messages", "nothing intact at 1 of the offsets")
	auditor(t, "", "", "check-proof", s.path("out/transcript.html"), "--key", s.pub).want(t, 1, "1 of 3 messages", "nothing intact at 1 of these offsets")
	// Of another room: the damaged one says that it is of general, but who knows.
	logtest.Publish(t, s.js, logtest.Message(t, "other", "elsewhere"))
	s.sign()
	s.auditor("transcript", "--room", "other", "--out", s.path("out")).want(t, 1, "1 messages", "nothing intact at 2 of the offsets")
}

func TestWhatIsOfANewerSchemaIsNotTakenAtItsWord(t *testing.T) {
	s := newStand(t)
	s.say("one")
	newer := logtest.Message(t, "general", "what does it mean")
	newer.Schema++
	newer.Seal()
	logtest.Publish(t, s.js, newer, logtest.Message(t, "other", "elsewhere"))
	s.sign()
	s.auditor("transcript", "--room", "general", "--out", s.path("out")).want(t, 1, "nothing can be proved of the event at offset 2: it is of schema 2, which this auditor does not know")
	s.auditor("transcript", "--room", "general", "--unproved", "--out", s.path("out")).want(t, 0, "2 messages", "1 of them proved")
	auditor(t, "", "", "check-proof", s.path("out/transcript.html"), "--key", s.pub).want(t, 1, "1 of 2 messages")
	s.auditor("transcript", "--room", "other", "--out", s.path("out")).want(t, 1, "1 messages", "1 events are of a newer schema", "nothing intact at 1 of the offsets")
}

func TestATranscriptIsOfOneConversation(t *testing.T) {
	s := talked(t)
	for _, args := range [][]string{
		{}, {"--room", "a"}, {"--out", "x"}, {"--out", "x", "--room", "a", "--room", "b"}, {"--out", "x", "--room", "a", "--between", "a,b"},
		{"--out", "x", "--room", "a", "--sender", "alice"}, {"--out", "x", "--room", "a", "more"},
	} {
		s.auditor(append([]string{"transcript"}, args...)...).want(t, 2)
	}
	s.auditor("transcript", "--room", "nobody", "--out", s.path("out")).want(t, 2, "there is no message of this conversation from offset 1 to 7")
	s.auditor("transcript", "--between", "alice,nobody", "--out", s.path("out")).want(t, 2)
	s.auditor("transcript", "--room", "general", "--out", s.file("file", "")).want(t, 2)
}

func TestATamperedMessageIsNotTranscribed(t *testing.T) {
	s := newStand(t)
	s.say("as it is now")
	s.signLeaves(s.state().Epoch, someLeaves(1))
	s.auditor("transcript", "--room", "general", "--out", s.path("out")).want(t, 1, "is not the one at offset 1")
	if left, err := os.ReadDir(s.path("out")); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestALogThatHasLostItsEndIsFound(t *testing.T) {
	s := talked(t) // 7 offsets
	s.signLeaves(s.state().Epoch, someLeaves(30))
	out := s.path("out")
	const lost = "the log ends at offset 7, and a checkpoint was signed of it, "
	s.auditor("transcript", "--room", "general", "--out", out, "--quiet").want(t, 1, lost, "covers the offsets up to 37: 30 of the offsets that were asked for are lost",
		"nothing intact at 30 of the offsets")
	if page := s.read("out/transcript.html"); !strings.Contains(page, "at 30 of these offsets the log holds nothing") || !strings.Contains(page, "offsets 1 to 37 of the log") {
		t.Error(page)
	}
	auditor(t, "", "", "check-proof", out+"/transcript.html", "--key", s.pub).want(t, 0, "nothing intact at 30 of these offsets")
	s.auditor("transcript", "--room", "general", "--out", out, "--to", "10").want(t, 1, ": 3 of the offsets that were asked for are lost")
	s.auditor("transcript", "--room", "general", "--out", out, "--to", "7").want(t, 0)
	s.auditor("transcript", "--room", "general", "--out", out, "--until", "2100-01-01").want(t, 1, ": 30 of the offsets")
	s.auditor("transcript", "--room", "general", "--out", s.path("none"), "--since", "2099-01-01").want(t, 1, "nothing was written, but the log ends", ": 30 of the offsets")
	s.auditor("transcript", "--room", "general", "--out", s.path("none"), "--from", "10").want(t, 1, "nothing was written, but the log ends at offset 7", ": 28 of the offsets")
	s.auditor("transcript", "--room", "general", "--out", s.path("none"), "--to", "38").want(t, 2, "the log ends at 7")
}

func TestAMessageThatWasStoredAgainIsFound(t *testing.T) {
	s := newStand(t)
	e := logtest.Keyed(t, "general", "once", "k1")
	again := func() {
		m := e.Encode()
		m.Header.Del(jetstream.MsgIDHeader) // by which the server knows an event that is sent twice
		_, err := s.js.PublishMsg(t.Context(), m)
		s.must(err)
	}
	logtest.Publish(t, s.js, e)
	again()
	e.Content = "not under the same key"
	e.Seal()
	again()
	s.sign()
	s.auditor("transcript", "--room", "general", "--out", s.path("out")).want(t, 1, "3 messages", "3 of them proved", "2 of the messages repeat an earlier one")
	auditor(t, "", "", "check-proof", s.path("out/transcript.html"), "--key", s.pub).want(t, 0, "repeats       2 messages")
	auditor(t, "", "", "check-proof", s.path("out/transcript.ndjson"), "--key", s.pub, "--format", "json").want(t, 0, `"repeats":2`)
}
