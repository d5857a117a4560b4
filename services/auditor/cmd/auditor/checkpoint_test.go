package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/services/auditor/proof"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// grown is a stand with checkpoints of 2, 5 and 6 offsets.
func grown(t *testing.T) *stand {
	t.Helper()
	s := newStand(t)
	for _, n := range []int{2, 3, 1} {
		for range n {
			s.say("x")
		}
		s.sign()
	}
	return s
}

func TestACheckpointIsPrintedAsItWasSigned(t *testing.T) {
	s := grown(t)
	got := s.auditor("checkpoint", "--key", s.pub)
	got.want(t, 0, "the signature is that of tidemark+")
	if got.stdout != s.last.Signed {
		t.Errorf("%q", got.stdout)
	}
	s.auditor("checkpoint", "--out", s.path("kept")).want(t, 0, "was not verified")
	if s.read("kept") != s.last.Signed {
		t.Errorf("%q", s.read("kept"))
	}
	s.auditor("checkpoint", "--size", "4").want(t, 0, "tidemark\n2\n")
	s.auditor("checkpoint", "--size", "1").want(t, 2, "there is no checkpoint of 1 offsets or fewer")
	var one listed
	got = s.auditor("checkpoint", "--format", "json", "--key", s.pub)
	if err := json.Unmarshal([]byte(got.stdout), &one); err != nil || one.Size != 6 || one.Note != s.last.Signed || !strings.HasPrefix(one.Verified, "tidemark+") {
		t.Errorf("%v: %s", err, got.stdout)
	}
}

func TestTheKeyOfTheDataDirectoryIsUsed(t *testing.T) {
	s := grown(t)
	t.Setenv("TIDEMARK_DATA_DIR", s.dir)
	s.auditor("checkpoint").want(t, 0, "the signature is that of tidemark+")
	other, err := notary.EnsureKey(s.path("other.key"), "tidemark")
	s.must(err)
	s.file("notary.pub", other.Public+"\n")
	got := s.auditor("checkpoint")
	got.want(t, 1, "is signed by \""+proof.KeyName(s.key.Verifier)+"\", and not by "+proof.KeyName(other.Verifier), "the older one can be given too")
	if got.stdout != "" {
		t.Errorf("%q", got.stdout)
	}
	s.file("notary.pub", "nonsense")
	s.auditor("checkpoint").want(t, 2, "public key")
}

func TestCheckpointsAreListed(t *testing.T) {
	s := grown(t)
	got := s.auditor("checkpoint", "--list", "--key", s.pub)
	got.want(t, 0)
	if lines := strings.Split(strings.TrimSpace(got.stdout), "\n"); len(lines) != 3 || !strings.HasPrefix(lines[1], "2\t5\t") {
		t.Errorf("%q", lines)
	}
	if got := s.auditor("checkpoint", "--list", "--format", "json"); strings.Count(got.stdout, "\n") != 3 || got.code != 0 {
		t.Errorf("%+v", got)
	}
	_, err := s.js.Publish(t.Context(), "audit.checkpoint", []byte("\x1b no entry"))
	s.must(err)
	got = s.auditor("checkpoint", "--list")
	got.want(t, 1, "1 of 4 messages in stream AUDIT are no checkpoints")
	s.auditor("checkpoint").want(t, 1)
	s.auditor("checkpoint", "--list", "--size", "3").want(t, 2)
}

func TestNoCheckpointIsNoSuccess(t *testing.T) {
	s := newStand(t)
	s.auditor("checkpoint").want(t, 2, "there is no checkpoint yet")
	s.auditor("checkpoint", "--list").want(t, 2, "there is no checkpoint")
}

func TestConsistency(t *testing.T) {
	s := grown(t)
	s.auditor("consistency", "2", "6", "--key", s.pub).want(t, 0, "the log of 6 offsets", "begins with the log of 2 offsets")
	s.auditor("consistency", "6", "2").want(t, 0, "the log of 6 offsets")
	s.auditor("consistency", "5", "5").want(t, 0)
	s.auditor("consistency", "6", "2", "--out", s.path("proof")).want(t, 0)
	auditor(t, "nonsense", "", "check-proof", s.path("proof"), "--key", s.pub).want(t, 0, "begins with all of the log of the older one", "offsets 1 to 2", "offsets 1 to 6")
	s.auditor("consistency", "1", "6").want(t, 2, "there is no checkpoint of 1 offsets in stream AUDIT; the nearest: 2 (")
	s.auditor("consistency", "2", "4").want(t, 2, "the nearest: 2 and 5 (")
	s.auditor("consistency", "2", "9").want(t, 2, "the nearest: 6 (")
	s.auditor("consistency", "2", s.path("none")).want(t, 2, "neither a number of offsets nor a file")
	s.auditor("consistency", "2").want(t, 2)
	s.auditor("consistency", "2", s.file("x", "\x1b nonsense")).want(t, 2, "holds no checkpoint")
}

func TestACheckpointKeptElsewhereIsCompared(t *testing.T) {
	s := grown(t)
	s.auditor("checkpoint", "--size", "2", "--out", s.path("kept")).want(t, 0)
	s.auditor("consistency", s.path("kept"), "6", "--key", s.pub).want(t, 0, "begins with the log of 2 offsets")
	// A file as the notary exports it: the last one counts.
	all := s.file("all", s.auditor("checkpoint", "--size", "2").stdout+"\n"+s.auditor("checkpoint", "--size", "5").stdout)
	s.auditor("consistency", all, "6", "--key", s.pub).want(t, 0, "begins with the log of 5 offsets")
	s.auditor("consistency", s.file("torn", s.read("all")+"\ntidemark\n6\n"), "6", "--key", s.pub).want(t, 0, "begins with the log of 5 offsets")
	s.auditor("consistency", s.file("torn", s.read("all")+"\n"+s.last.Signed[:len(s.last.Signed)-9]), "6", "--key", s.pub).want(t, 0, "begins with the log of 5 offsets")
	s.auditor("consistency", s.file("torn", "tidemark\n6\n"+s.read("all")), "6", "--key", s.pub).want(t, 0, "begins with the log of 5 offsets")
}

func TestALogThatIsNotTheOneThatWasSignedIsFound(t *testing.T) {
	s := grown(t)
	// Of as many offsets, of fewer, and of more than there are.
	s.auditor("consistency", s.forked(2), "6", "--key", s.pub, "--out", s.path("proof")).want(t, 1, "does not begin with the log of the checkpoint of 2")
	s.auditor("consistency", s.forked(6), "6", "--key", s.pub).want(t, 1)
	s.auditor("consistency", "2", s.forked(6), "--key", s.pub).want(t, 1, "the tree in the stream AUDIT is not the one")
	s.auditor("consistency", "2", s.forked(7), "--key", s.pub).want(t, 1, "has only 6")
	if _, err := os.Stat(s.path("proof")); !os.IsNotExist(err) {
		t.Errorf("a proof was written: %v", err)
	}
	// Another epoch: another log.
	kept := s.file("kept", s.last.Signed)
	s.tree, s.last = notary.Tree{}, notary.Entry{Sequence: s.last.Sequence}
	s.signLeaves("another", make([]tlog.Hash, 9))
	s.auditor("consistency", kept, "9", "--key", s.pub).want(t, 1, "different logs")
	// What was signed of the older one can still be compared.
	s.auditor("consistency", kept, kept, "--key", s.pub).want(t, 0)
}

// rotated is a stand whose notary has got another key, with which it goes on. old is the public key that it had.
func rotated(t *testing.T) (s *stand, old string) {
	t.Helper()
	s = grown(t)
	old = s.key.Public
	other, err := notary.EnsureKey(s.path("k2.key"), "tidemark")
	s.must(err)
	s.key = other
	s.say("later")
	s.sign()
	return s, old
}

func TestAfterTheNotarysKeyWasChangedBothCanBeGiven(t *testing.T) {
	s, old := rotated(t)
	s.auditor("consistency", "6", "7", "--key", s.key.Public).want(t, 1, "is signed by \"tidemark+", "the older one can be given too")
	for _, keys := range [][]string{{"--key", old, "--key", s.key.Public}, {"--key", s.key.Public, "--key", old}} {
		s.auditor(append(keys, "consistency", "6", "7", "--out", s.path("proof"))...).want(t, 0, "begins with the log of 6 offsets", "the signatures are those of tidemark+")
		auditor(t, "", "", append(keys, "check-proof", s.path("proof"))...).want(t, 0, "begins with all of the log")
		s.auditor(append(keys, "checkpoint", "--list")...).want(t, 0, "4\t7\t", "1\t2\t")
		s.auditor(append(keys, "prove", "--offset", "1", "--out", s.path("proof"))...).want(t, 0, "the signature is that of "+proof.KeyName(s.key.Verifier))
		auditor(t, "", "", append(keys, "check-proof", s.path("proof"))...).want(t, 0, "by "+proof.KeyName(s.key.Verifier))
		s.auditor(append(keys, "transcript", "--room", "general", "--out", s.path("out"))...).want(t, 0)
		auditor(t, "", "", append(keys, "check-proof", s.path("out/transcript.html"))...).want(t, 0)
	}
	auditor(t, "", "", "check-proof", s.path("proof"), "--key", old, "--key", old).want(t, 1, "is signed by \""+proof.KeyName(s.key.Verifier)+"\"")
}

func TestACheckpointOfAnOlderTreeIsFound(t *testing.T) {
	s := grown(t)
	s.tree, s.last = notary.Tree{}, notary.Entry{Sequence: s.last.Sequence}
	s.say("more")
	s.sign() // of 7, and a new tree
	s.auditor("consistency", "5", "7").want(t, 0, "begins with the log of 5 offsets")
	s.auditor("consistency", "5", "8").want(t, 2, "the nearest: 7 (")
}

func TestSignedCheckpointsAreChecked(t *testing.T) {
	s, old := rotated(t)
	check := func(name string, args ...string) outcome {
		return auditor(t, "nonsense", "", append([]string{"check-proof", name}, args...)...)
	}
	both := []string{"--key", s.key.Public, "--key", old}
	one := s.file("one", s.last.Signed)
	check(one, "--key", s.key.Public).want(t, 0, "proved: 1 of 1 checkpoints are signed\n", "offsets 1 to 7", "by "+proof.KeyName(s.key.Verifier))
	check(one, "--key", old).want(t, 1, "the older one can be given too", "proved: 0 of 1")
	listed := s.file("listed", s.auditor("checkpoint", "--list", "--format", "json").stdout)
	var all string
	for range 2 {
		for _, size := range []string{"2", "5", "6", "7"} {
			all += s.auditor("checkpoint", "--size", size).stdout + "\n"
		}
	}
	for _, name := range []string{listed, s.file("all", all)} {
		check(name, both...).want(t, 0, "checkpoints are signed", "offsets 1 to 5", "offsets 1 to 7")
		check(name, "--key", s.key.Public).want(t, 1, "checkpoints are signed", "offsets 1 to 7", "are not proved; checkpoint 1: ")
	}
	got := check(s.path("all"), both...)
	if got.want(t, 0, "proved: 8 of 8 checkpoints are signed; the last 5 of them\n"); strings.Count(got.stdout, "  signed ") != 5 {
		t.Error(got.stdout)
	}
	check(s.path("all"), append(both, "--format", "json")...).want(t, 0, `"kind":"checkpoints"`, `"checkpoints":{"count":8,"signed":8,"last":[`)
	for name, text := range map[string]string{
		"cut":     all + s.last.Signed[:len(s.last.Signed)-9],
		"altered": strings.Replace(s.last.Signed, "\n7\n", "\n8\n", 1),
		"more":    strings.Replace(s.read("listed"), `"size":7`, `"size":8`, 1),
		"a proof": strings.Replace(s.auditor("prove", "--offset", "1").stdout, `"kind"`, `"kynd"`, 1),
	} {
		check(s.file("wrong", text), both...).want(t, 1, "refused")
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

func TestKeygenNeverWritesOverAKey(t *testing.T) {
	dir := t.TempDir() + "/"
	got := auditor(t, "", "", "keygen", "--name", "chat.example", "--out", dir+"notary.key")
	got.want(t, 0)
	info, err := os.Stat(dir + "notary.key")
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	public, err := os.ReadFile(dir + "notary.pub")
	if err != nil || string(public) != got.stdout || !strings.HasPrefix(got.stdout, "chat.example+") {
		t.Errorf("%v: %q, %q", err, public, got.stdout)
	}
	secret, err := os.ReadFile(dir + "notary.key")
	if err != nil || strings.Contains(got.stdout+got.stderr, strings.TrimSpace(string(secret))) {
		t.Errorf("the secret key is told, or: %v", err)
	}
	auditor(t, "", "", "keygen", "--out", dir+"notary.key").want(t, 2, "is there already")
	if err := os.Remove(dir + "notary.key"); err != nil {
		t.Fatal(err)
	}
	auditor(t, "", "", "keygen", "--out", dir+"notary.key").want(t, 2, "notary.pub is there already")
	auditor(t, "", "", "keygen", "--name", "a b", "--out", dir+"other.key").want(t, 2)
	auditor(t, "", "", "keygen", "--out", dir+"no/such/dir.key").want(t, 2)
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
}
