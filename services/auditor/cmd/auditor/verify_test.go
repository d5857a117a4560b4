package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/services/auditor/verify"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

// expectVerify calls verify and compares the exit code and the last line of the output.
func (s *stand) expectVerify(code int, last string, args ...string) outcome {
	s.t.Helper()
	got := call(s.t, s.url, append([]string{"verify"}, args...)...)
	lines := strings.Split(strings.TrimSpace(got.stdout), "\n")
	if got.code != code || !strings.HasPrefix(lines[len(lines)-1], last) {
		s.t.Errorf("verify %v: exit %d, want %d and %q\n%s%s", args, got.code, code, last, got.stdout, got.stderr)
	}
	return got
}

func TestVerifyAsItsUsersCallIt(t *testing.T) {
	s := newStand(t)
	for range 5 {
		s.say("hello\x1b[2J")
	}
	s.sign()
	s.expectVerify(0, "clean", "--only", "log")
	s.expectVerify(0, "clean", "--only", "log,checkpoints", "--key", s.pub)
	s.expectVerify(0, "clean", "--only", "checkpoints", "--key", s.key.Public, "--key", s.pub)
	s.expectVerify(2, "could not check checkpoints: who signed the checkpoints is not known: give the notary's public key with --key", "--only", "log,checkpoints")
	got := s.expectVerify(2, "could not check readmodel: there is no read model at", "--key", s.pub)
	if !strings.Contains(got.stdout, "(to leave it out: --only log,checkpoints)\n") {
		t.Error(got.stdout)
	}
	t.Setenv("TIDEMARK_DATA_DIR", s.dir) // where notary.pub is
	s.expectVerify(0, "clean", "--only", "log,checkpoints")

	kept := s.path("kept")
	if got := call(t, s.url, "checkpoint", "--out", kept); got.code != 0 {
		t.Fatal(got)
	}
	s.say("later")
	s.expectVerify(0, "clean", "--only", "checkpoints", "--checkpoint", kept)
	asJSON := s.path("json")
	s.must(os.WriteFile(asJSON, []byte(call(t, s.url, "checkpoint", "--list", "--format", "json").stdout), 0o600))
	s.expectVerify(0, "clean", "--only", "checkpoints", "--checkpoint", asJSON, "--checkpoint", kept)

	s.remove(2)
	s.damage()
	s.expectVerify(1, "4 findings", "--only", "log,checkpoints", "--checkpoint", kept)
	s.expectVerify(1, "4 findings", "--checkpoint", kept) // findings win over what could not be checked
	s.expectVerify(0, "clean", "--only", "log", "--from", "3", "--to", "6")
	quiet := s.expectVerify(1, "2 findings", "--only", "log", "--quiet")
	if want := "dense 2: the log holds nothing here\ndigest 7: subject \"chat.0.room.ngeneral\": the digest does not fit the event\n2 findings\n"; quiet.stdout != want {
		t.Errorf("%q", quiet.stdout)
	}
	var report verify.Report
	asked := s.expectVerify(1, "}", "--only", "log", "--format", "json")
	if err := json.Unmarshal([]byte(asked.stdout), &report); err != nil || report.Found != 2 || report.Findings[1].Offset != 7 || report.Result != verify.Findings {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestVerifySaysHowItIsUsed(t *testing.T) {
	s := newStand(t)
	s.say("hello")
	for want, args := range map[string][]string{
		`--only "logs": there are log, readmodel and checkpoints`: {"--only", "logs"},
		`there is nothing to check`:                               {"--only", ""},
		`it must be text or json`:                                 {"--format", "xml"},
		`--from 3 is beyond --to 2`:                               {"--from", "3", "--to", "2"},
		`--checkpoint is of no use`:                               {"--only", "log", "--checkpoint", "x"},
		`no such file`:                                            {"--only", "checkpoints", "--key", s.pub, "--checkpoint", s.path("none")},
		`neither one (name+hash+key) nor a file`:                  {"--key", "none"},
		`unknown command`:                                         {"extra"},
	} {
		if got := call(t, s.url, append([]string{"verify"}, args...)...); got.code != 2 || !strings.Contains(got.stderr, want) {
			t.Errorf("%v: %+v, want %s", args, got, want)
		}
	}
	s.expectVerify(2, "could not check: there is nothing from offset 9 on: the log ends at offset 1", "--only", "log", "--from", "9")
	if got := call(t, "nats://127.0.0.1:1", "verify"); got.code != 2 || !strings.Contains(got.stderr, "connect to the log") {
		t.Errorf("%+v", got)
	}
	if got := call(t, logtest.Start(t).URL(), "verify"); got.code != 2 {
		t.Errorf("a server without a log: %+v", got)
	}
}
