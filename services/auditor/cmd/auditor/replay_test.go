package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/services/auditor/record"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// conversation is a log that people have talked in: 1 and 2 are registrations of alice and bob, 3 is alice's in general, 4 a
// guest's in other, 5 alice's to bob.
func conversation(t *testing.T) (*logtest.Server, jetstream.JetStream) {
	t.Helper()
	s := logtest.Start(t)
	js := s.Provision(logtest.Config())
	public := logtest.Message(t, "general", "hello\x1b[31m\nyou")
	public.Sender, public.SenderName = "a1", "alice"
	public.Seal()
	direct := logtest.Message(t, "x", "psst")
	direct.Conversation = subject.Conversation{Kind: subject.DM, Name: subject.PairName("a1", "b1")}
	direct.Sender, direct.SenderName, direct.Recipient = "a1", "alice", "b1"
	direct.Seal()
	logtest.Publish(t, js, user(t, "a1", "alice"), user(t, "b1", "bob"), public, logtest.Message(t, "other", "who is this"), direct)
	return s, js
}

func user(t *testing.T, id, name string) event.Event {
	t.Helper()
	e, err := event.NewRegistered(id, name)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestReplayForPeople(t *testing.T) {
	s, _ := conversation(t)
	got := call(t, s.URL(), "replay")
	var lines []string
	for line := range strings.Lines(got.stdout) {
		fields := strings.SplitN(strings.TrimSpace(line), "  ", 3)
		if _, err := time.Parse(time.RFC3339, fields[1]); err != nil {
			t.Error(err)
		}
		lines = append(lines, fields[0]+" "+fields[2])
	}
	want := []string{
		"1 [user.registered] alice, id a1", "2 [user.registered] bob, id b1", `3 #general alice: hello\x1b[31m\nyou`,
		"4 #other (guest): who is this", "5 alice -> bob: psst",
	}
	if got.code != 0 || strings.Join(lines, "\n") != strings.Join(want, "\n") || !strings.HasPrefix(got.stderr, "replay: 5 events read, 5 written, ") {
		t.Errorf("%+v", got)
	}
}

func TestReplayForPrograms(t *testing.T) {
	s, js := conversation(t)
	want, err := eventlog.Open(js).Get(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	got := call(t, s.URL(), "replay", "--format=json", "--room=general", "--quiet")
	var r record.Record
	if err := json.Unmarshal([]byte(got.stdout), &r); err != nil || r != record.Of(&want) || got.code != 0 || got.stderr != "" {
		t.Errorf("%v, %+v", err, got)
	}
	if e, err := r.Event(); err != nil || e != want {
		t.Errorf("%+v, %v", e, err)
	}
	rows, err := csv.NewReader(strings.NewReader(call(t, s.URL(), "replay", "--format=csv").stdout)).ReadAll()
	if err != nil || len(rows) != 6 || rows[0][0] != "offset" || rows[3][8] != want.Content {
		t.Errorf("%v, %v", rows, err)
	}
}

func TestReplaySelects(t *testing.T) {
	s, _ := conversation(t)
	for _, test := range []struct {
		args   string
		want   string // offsets
		code   int
		stderr string // a part of it
	}{
		{"", "1 2 3 4 5", 0, "5 events read, 5 written"},
		{"--from 2 --to 4", "2 3 4", 0, "3 events read"},
		{"--from 4", "4 5", 0, ""},
		{"--from 6", "", 0, "0 events read"},
		{"--from 7", "", 2, "auditor: select: --from 7 is beyond the end: the log ends at 5"},
		{"--to 6", "", 2, "--to 6 is beyond the end: the log ends at 5"},
		{"--between alice,bob", "5", 0, "5 events read, 1 written"},
		{"--between b1,alice --room other", "4 5", 0, ""},
		{"--between alice,carol", "", 2, `nobody has the id or the name "carol"`},
		{"--sender alice", "1 3 5", 0, ""},
		{"--sender b1 --sender alice --type user.registered", "1 2", 0, ""},
		{"--since 1h", "1 2 3 4 5", 0, ""},
		{"--until 2020-01-01", "", 0, ""},
		{"--since x", "", 2, `"--since" flag: it must be a date`},
		{"--format xml", "", 2, "text, json or csv"},
		{"--speed fast", "", 2, "it must be max"},
		{"--speed 1000x --max-gap 1ms", "1 2 3 4 5", 0, ""},
		{"--follow --until 2030-01-01", "", 2, "--follow has no end"},
	} {
		args := append([]string{"replay", "--format=json"}, strings.Fields(test.args)...)
		got := call(t, s.URL(), args...)
		if offsets := offsets(t, got.stdout); offsets != test.want || got.code != test.code || !strings.Contains(got.stderr, test.stderr) {
			t.Errorf("%s: wrote %s, exit %d, %s", test.args, offsets, got.code, got.stderr)
		}
	}
}

// offsets are those of the events in NDJSON.
func offsets(t *testing.T, ndjson string) string {
	t.Helper()
	var list []string
	for line := range strings.Lines(ndjson) {
		var r struct{ Offset json.Number }
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Errorf("%q: %v", line, err)
		}
		list = append(list, r.Offset.String())
	}
	return strings.Join(list, " ")
}

func TestReplayOfALogThatIsNotWhole(t *testing.T) {
	s := logtest.Start(t)
	js := s.Connect()
	chat, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: eventlog.StreamName, Subjects: []string{"chat.>"}, AllowDirect: true})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		logtest.Publish(t, js, logtest.Message(t, "general", "hello"))
	}
	changed := logtest.Message(t, "general", "hello")
	m := changed.Encode()
	m.Data = []byte("hellp")
	if _, err := js.PublishMsg(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	for _, offset := range []uint64{2, 3} {
		if err := chat.DeleteMsg(t.Context(), offset); err != nil {
			t.Fatal(err)
		}
	}
	for format, mark := range map[string]string{
		"text": "  [damaged: offset 6, ", "json": `,"damaged":"offset 6, `, "csv": `,"offset 6, `,
	} {
		got := call(t, s.URL(), "replay", "--format", format)
		if got.code != 1 || !strings.Contains(got.stdout, mark) || !strings.Contains(got.stderr, "nothing at offsets 2 to 3\n") ||
			!strings.Contains(got.stderr, "4 events read, 4 written, 1 damaged, 2 missing") || !strings.HasSuffix(got.stderr, "auditor: the log is not whole\n") {
			t.Errorf("%s: %+v", format, got)
		}
	}
	if got := call(t, s.URL(), "replay", "--from=4", "--to=5", "--quiet"); got.code != 0 || got.stderr != "" {
		t.Errorf("what is whole of it: %+v", got)
	}
}

func TestReplayWithoutALog(t *testing.T) {
	s := logtest.Start(t)
	if got := call(t, s.URL(), "replay"); got.code != 2 || !strings.Contains(got.stderr, "stream not found") {
		t.Errorf("no stream: %+v", got)
	}
	s.Stop()
	if got := call(t, s.URL(), "replay"); got.code != 2 || !strings.Contains(got.stderr, "connect to the log at "+s.URL()) ||
		!strings.HasSuffix(got.stderr, "(setting nats.url, TIDEMARK_NATS_URL)\n") {
		t.Errorf("no server: %+v", got)
	}
}

func TestReplayIntoAPipeThatIsClosedEndsQuietly(t *testing.T) {
	s := logtest.Start(t)
	js := s.Provision(logtest.Config())
	logtest.Fill(t, js, 5000, func(int) event.Event { return logtest.Message(t, "general", "hello") })
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	var line [1]byte
	read := make(chan error, 1)
	go func() {
		_, err := r.Read(line[:])
		r.Close()
		read <- err
	}()
	stderr := new(stream)
	if code := callInto(t, s.URL(), w, stderr.pipe(t), "replay"); code != 0 || stderr.wait() != "" {
		t.Errorf("exit %d, %q", code, stderr.String())
	}
	if err := <-read; err != nil {
		t.Error(err)
	}
}

// interrupt runs a command and sends the process SIGINT when so much was written.
func interrupt(t *testing.T, url, until string, before func(), args ...string) outcome {
	t.Helper()
	stdout, stderr := new(stream), new(stream)
	out, errs := stdout.pipe(t), stderr.pipe(t)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for began := false; !strings.Contains(stdout.String(), until); {
			select {
			case <-stdout.more:
			case <-stop:
				t.Errorf("it ended before it wrote %q", until)
				return
			}
			if !began {
				began = true
				before()
			}
		}
		if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
			t.Error(err)
		}
	}()
	code := callInto(t, url, out, errs, args...)
	close(stop)
	<-stopped
	return outcome{code, stdout.wait(), stderr.wait()}
}

func TestReplayFollowsUntilItIsInterrupted(t *testing.T) {
	s, js := conversation(t)
	got := interrupt(t, s.URL(), `"offset":7,`, func() {
		logtest.Publish(t, js, logtest.Message(t, "other", "later"), logtest.Message(t, "general", "and later"))
	}, "replay", "--follow", "--format=json", "--room=general")
	if got.code != 0 || offsets(t, got.stdout) != "3 7" || !strings.Contains(got.stderr, "stopped after offset 7; go on with --from 8") {
		t.Errorf("%+v", got)
	}
}

func TestAReplayThatIsInterruptedSaysHowToGoOn(t *testing.T) {
	s := logtest.Start(t)
	js := s.Provision(logtest.Config())
	const events = 300
	for range events {
		logtest.Publish(t, js, logtest.Message(t, "general", "hello"))
	}
	// To publish them took a tenth of a second at least: at this speed, ten seconds.
	got := interrupt(t, s.URL(), `"offset":1,`, func() {}, "replay", "--format=json", "--speed=0.01x")
	first := offsets(t, got.stdout)
	_, from, found := strings.Cut(got.stderr, "; go on with --from ")
	if got.code != 2 || !found || !strings.Contains(got.stderr, "auditor: stopped after offset ") {
		t.Fatalf("%+v", got)
	}
	rest := call(t, s.URL(), "replay", "--format=json", "--from", strings.TrimSpace(from))
	all := strings.Fields(first + " " + offsets(t, rest.stdout))
	for i := range all {
		if all[i] != strconv.Itoa(i+1) {
			t.Fatalf("event %d is at offset %s", i+1, all[i])
		}
	}
	if rest.code != 0 || len(all) != events {
		t.Errorf("%d events, %+v", len(all), rest.stderr)
	}
}
