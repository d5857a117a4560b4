package main

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/services/auditor/proof"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

func TestAProofIsCheckedWithoutTheLogOrSettings(t *testing.T) {
	s := newStand(t)
	s.say("first")
	offset := s.say("hello\x1b[31m \u202e 世界")
	s.say("last")
	s.sign()
	s.auditor("prove", "--offset", "2", "--out", s.path("proof"), "--key", s.pub).want(t, 0, "the signature is that of tidemark+")
	if offset != 2 {
		t.Fatal(offset)
	}
	t.Setenv("TIDEMARK_NO_SUCH_SETTING", "1")
	t.Setenv("TIDEMARK_LOG_LEVEL", "nonsense")
	check := func(stdin string, args ...string) outcome {
		return auditor(t, "nonsense", stdin, append([]string{"check-proof"}, args...)...)
	}
	check("", s.path("proof"), "--key", s.pub).want(t, 0,
		"proved: this is the event at offset 2", `"hello\x1b[31m \u202e 世界"`, `"alice", user "a1"`, `"room:general"`, "offsets 1 to 3", "not proved:")
	check("", s.path("proof"), "--key", s.key.Public).want(t, 0)
	got := check(s.read("proof"), "-", "--key", s.pub, "--format", "json")
	got.want(t, 0)
	var f found
	if err := json.Unmarshal([]byte(got.stdout), &f); err != nil || !f.Proved || f.Event.Content != "hello\x1b[31m \u202e 世界" || f.Checkpoint.Size != 3 {
		t.Errorf("%v: %s", err, got.stdout)
	}
	// ... and refused.
	altered := s.file("altered", strings.Replace(s.read("proof"), "hello", "hullo", 1))
	check("", altered, "--key", s.pub).want(t, 1, "refused")
	if got := check("", altered, "--key", s.pub, "--format", "json"); got.code != 1 || !strings.Contains(got.stdout, `{"proved":false,"reason":"refused`) {
		t.Errorf("%+v", got)
	}
	other, err := notary.EnsureKey(s.path("other.key"), "tidemark")
	s.must(err)
	check("", s.path("proof"), "--key", other.Public).want(t, 1, "is signed by", "and not by "+proof.KeyName(other.Verifier))
	check("\x1b[31m what is this", "-", "--key", s.pub).want(t, 1, "it is no proof, no transcript and no file of signed checkpoints")
	check("", "-", "--key", s.pub).want(t, 1, "it is no proof, no transcript and no file of signed checkpoints")
	// ... and cannot be done.
	check("", s.path("no such file"), "--key", s.pub).want(t, 2)
	check("", s.dir, "--key", s.pub).want(t, 2, "is a directory")
	check("", s.path("proof")).want(t, 2, "key")
	check("", s.path("proof"), "--key", "nonsense").want(t, 2, "public key")
	check("", s.path("proof"), "--key", s.path("notary.key")).want(t, 2, "secret key")
	check("", "--key", s.pub).want(t, 2)
	check("", s.path("proof"), "--key", s.pub, "--format", "xml").want(t, 2)
}

func TestProveWritesToStandardOutputWhatATerminalDoesNotObey(t *testing.T) {
	s := newStand(t)
	s.say("\x1b[31m\u009b31m\u202e")
	s.sign()
	got := s.auditor("prove", "--offset", "1")
	got.want(t, 0, "the signature was not verified")
	if strings.ContainsAny(got.stdout, "\x1b\u009b\u202e") {
		t.Errorf("%q", got.stdout)
	}
	auditor(t, "", got.stdout, "check-proof", "-", "--key", s.pub).want(t, 0)
}

func TestProveByAnOlderCheckpoint(t *testing.T) {
	s := newStand(t)
	for range 3 {
		s.say("x")
		s.sign()
	}
	got := s.auditor("prove", "--offset", "1", "--size", "2")
	got.want(t, 0)
	auditor(t, "", got.stdout, "check-proof", "-", "--key", s.pub).want(t, 0, "offsets 1 to 2")
	s.auditor("prove", "--offset", "3", "--size", "2").want(t, 2, "covers the offsets from 1 to 2")
}

func TestWhatCannotBeProvedSaysWhy(t *testing.T) {
	s := newStand(t)
	s.auditor("prove", "--offset", "1").want(t, 2, "there is no checkpoint yet", "signs every 10s or 1000 events")
	s.say("one")
	binary := s.say("a\xff")
	damaged := s.damage()
	lost := s.say("lost")
	s.sign()
	s.remove(lost)
	s.say("not signed yet")
	for offset, want := range map[uint64]outcome{
		binary:  {1, "not UTF-8", ""},
		damaged: {1, "is damaged, so nothing can be proved of it", ""},
		lost:    {1, "holds nothing at offset 4", ""},
		5:       {2, "offset 5 is not signed yet: the newest checkpoint covers the offsets from 1 to 4; the notary signs every 10s", ""},
		6:       {2, "the log ends with 5", ""},
		0:       {2, "offsets begin with 1", ""},
	} {
		s.auditor("prove", "--out", s.path("proof"), "--offset", strconv.FormatUint(offset, 10)).want(t, want.code, want.stdout)
	}
	if _, err := os.Stat(s.path("proof")); !os.IsNotExist(err) {
		t.Errorf("a proof was written: %v", err)
	}
	s.auditor("prove").want(t, 2, "offset")
}

func TestAnEventThatIsNotWhatWasSignedIsFound(t *testing.T) {
	s := newStand(t)
	s.say("as it is now")
	s.signLeaves(s.state().Epoch, someLeaves(1))
	s.auditor("prove", "--offset", "1").want(t, 1, "is not the one at offset 1 of the log of which the checkpoint of 1 was signed")
}

func TestACheckpointOfAnotherLogProvesNothing(t *testing.T) {
	s := newStand(t)
	s.say("one")
	s.signLeaves("another", []tlog.Hash{notary.NoLeaf()})
	s.auditor("prove", "--offset", "1").want(t, 2, `its epoch is "another"`)
	s.auditor("transcript", "--room", "general", "--out", s.path("out")).want(t, 2, `its epoch is "another"`)
}
