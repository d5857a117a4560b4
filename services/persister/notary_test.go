package persister

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// withNotary gives options a notary that signs at each look.
func withNotary(t testing.TB, options Options) Options {
	t.Helper()
	key, err := notary.EnsureKey(filepath.Join(t.TempDir(), "notary.key"), "tidemark")
	if err != nil {
		t.Fatal(err)
	}
	options.Notary.Key, options.Notary.Every, options.Notary.Interval, options.Notary.Replicas = key, 100, time.Millisecond, 1
	return options
}

// checkSigned checks that AUDIT is one chain, signed, whose last checkpoint covers just the log's first n offsets.
func checkSigned(t testing.TB, js jetstream.JetStream, options Options, n uint64) {
	t.Helper()
	var leaves []tlog.Hash
	for offset := uint64(1); offset <= n; offset++ {
		e, err := eventlog.Open(js).Get(t.Context(), offset)
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, notary.Leaf(&e))
	}
	signed := uint64(0)
	for e, err := range notary.OpenAudit(js).Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		c, err := notary.Verify([]byte(e.Signed), options.Notary.Key.Verifier)
		if err != nil || e.From != signed || e.Began != 1 || c.Size > n || c.Root != root(leaves[:c.Size]) {
			t.Fatalf("entry %d, %d to %d behind %d: %+v, %v", e.Sequence, e.From, e.Size, signed, c, err)
		}
		signed = c.Size
	}
	if signed != n {
		t.Errorf("signed through %d of %d", signed, n)
	}
}

// root is the root by the definition in RFC 6962.
func root(leaves []tlog.Hash) tlog.Hash {
	if len(leaves) == 1 {
		return leaves[0]
	}
	left := 1
	for left*2 < len(leaves) {
		left *= 2
	}
	return tlog.NodeHash(root(leaves[:left]), root(leaves[left:]))
}

// signs waits until the persister's notary has signed through an offset.
func (r *running) signs(offset uint64) {
	r.t.Helper()
	eventually(r.t, fmt.Sprint("signed ", offset), func() bool { return r.notary.Report().Size >= offset })
}

func TestWhatIsProjectedIsSigned(t *testing.T) {
	server := logtest.Start(t)
	js := server.Provision(logtest.Config())
	options := withNotary(t, testOptions(server.URL(), database(t)))
	logtest.Fill(t, js, 250, keyed(t))
	p := run(t, options)
	p.signs(250)
	last := logtest.Publish(t, js, logtest.Message(t, "general", "hi"))
	p.signs(last)
	page := metricsPage(t, p)
	for _, want := range []string{
		fmt.Sprintf("tidemark_persister_notary_size %d", last), "tidemark_persister_notary_problem 0", "tidemark_persister_notary_failures_total 0",
		"tidemark_persister_notary_export_failures_total 0",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("metrics have no %q", want)
		}
	}
	if text := readyz(t, p); !strings.Contains(text, `"ready":true`) || !strings.Contains(text, fmt.Sprintf(`"notary":{"size":%d}`, last)) {
		t.Error(text)
	}
	p.stop()
	checkSigned(t, js, options, last)
}

func TestWithoutAKeyNothingIsSigned(t *testing.T) {
	server := logtest.Start(t)
	js := server.Provision(logtest.Config())
	p := run(t, testOptions(server.URL(), database(t)))
	p.reaches(logtest.Publish(t, js, logtest.Message(t, "general", "hi")))
	if text := readyz(t, p); strings.Contains(text, "notary") {
		t.Error(text)
	}
	p.stop()
	if _, err := js.Stream(t.Context(), notary.StreamName); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("there is a stream of checkpoints: %v", err)
	}
}

func TestWhatIsProjectedBeforeAStopIsSigned(t *testing.T) {
	server := logtest.Start(t)
	js := server.Provision(logtest.Config())
	options := withNotary(t, testOptions(server.URL(), database(t)))
	options.Notary.Interval = time.Hour
	var last uint64
	for range 3 {
		p := run(t, options)
		for range 10 {
			last = logtest.Publish(t, js, logtest.Message(t, "general", "hi"))
		}
		p.reaches(last)
		p.stop()
	}
	checkSigned(t, js, options, last)
}

func TestKilledWhileItSignsTheChainGoesOn(t *testing.T) {
	t.Parallel()
	server := logtest.Start(t)
	js := server.Provision(logtest.Config())
	options := testOptions(server.URL(), database(t))
	keyFile := filepath.Join(t.TempDir(), "notary.key")
	key, err := notary.EnsureKey(keyFile, "tidemark")
	if err != nil {
		t.Fatal(err)
	}
	const n, kills = 6000, 3
	logtest.Fill(t, js, n, keyed(t))
	signed := func() uint64 {
		e, err := notary.OpenAudit(js).Last(t.Context())
		if err != nil {
			return 0
		}
		return e.Size
	}
	for i := range uint64(kills) {
		kill := spawnChild(t, child{options.NATSURL, options.Database, 20, 300 * time.Millisecond, keyFile})
		eventually(t, "signed some", func() bool { return signed() > i*n/kills/2 })
		kill()
		if signed() >= n {
			t.Fatal("it was done before it was killed")
		}
	}
	options = withNotary(t, options)
	options.Notary.Key = key
	p := run(t, options)
	p.signs(n)
	p.stop()
	checkSigned(t, js, options, n)
}

// A standby's notary waits as it does; after a takeover the chain goes on.
func TestOfTwoPersistersOneSignsAndTheOtherGoesOn(t *testing.T) {
	server := logtest.Start(t)
	js := server.Provision(logtest.Config())
	options := withNotary(t, testOptions(server.URL(), database(t)))
	one := run(t, options)
	first := logtest.Fill(t, js, 300, keyed(t))
	one.signs(first)
	two := run(t, options)
	two.becomes(standby)
	second := logtest.Publish(t, js, logtest.Message(t, "general", "hi"))
	one.signs(second)
	if two.notary.Report().Size > 0 {
		t.Error("the standby's notary was at work")
	}
	one.stop()
	last := logtest.Publish(t, js, logtest.Message(t, "general", "hi"))
	two.signs(last)
	two.stop()
	checkSigned(t, js, options, last)
}

func TestTheProjectionGoesOnWithoutANotarysStream(t *testing.T) {
	server := logtest.Start(t)
	js := server.Provision(logtest.Config())
	_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: notary.StreamName, Subjects: []string{"audit.>"}, MaxMsgs: 1})
	if err != nil {
		t.Fatal(err)
	}
	options := withNotary(t, testOptions(server.URL(), database(t)))
	p := run(t, options)
	p.reaches(logtest.Fill(t, js, 300, keyed(t)))
	eventually(t, "says why it does not sign", func() bool { return strings.Contains(p.notary.Report().Problem, "AUDIT: it could lose what it holds") })
	p.reaches(logtest.Publish(t, js, logtest.Message(t, "general", "hi")))
	if !p.status.report().Ready || !strings.Contains(metricsPage(t, p), "tidemark_persister_notary_problem 1") {
		t.Errorf("%+v", p.status.report())
	}
}

// While the read model is made again, the tree is ahead of it.
func TestARebuiltReadModelIsNotSignedTwice(t *testing.T) {
	server := logtest.Start(t)
	js := server.Provision(logtest.Config())
	options := withNotary(t, testOptions(server.URL(), database(t)))
	last := logtest.Fill(t, js, 500, keyed(t))
	p := run(t, options)
	p.signs(last)
	p.stop()
	remove(t, options.Database)
	options.BatchSize = 10
	p = run(t, options)
	p.reaches(last)
	last = logtest.Publish(t, js, logtest.Message(t, "general", "hi"))
	p.signs(last)
	p.stop()
	checkSigned(t, js, options, last)
}

// An older copy of the log's files that went on has the same epoch; AUDIT is kept elsewhere here.
func TestAnOlderCopyOfTheLogIsNotSigned(t *testing.T) {
	l := startFiles(t)
	l.publish(5)
	l.copy()
	l.publish(5)
	options := withNotary(t, testOptions(l.server.URL(), database(t)))
	p := run(t, options)
	p.signs(10)
	p.stop()
	kept := allMessages(t, l.js)
	l.restore()
	l.publish(20)
	if err := notary.Provision(t.Context(), l.js, 1, discard); err != nil {
		t.Fatal(err)
	}
	for _, message := range kept {
		if _, err := l.js.Publish(t.Context(), "audit.checkpoint", message); err != nil {
			t.Fatal(err)
		}
	}
	remove(t, options.Database) // so that only the notary knows
	options.NATSURL = l.server.URL()
	p = run(t, options)
	p.reaches(25)
	eventually(t, "refuses", func() bool { return strings.Contains(p.notary.Report().Problem, "offset 10") })
	if !p.status.report().Ready {
		t.Error("the projection is not ready")
	}
	p.stop()
	if e, err := notary.OpenAudit(l.js).Last(t.Context()); err != nil || e.Size != 10 {
		t.Errorf("%+v, %v", e, err)
	}
}

// allMessages are those of AUDIT.
func allMessages(t *testing.T, js jetstream.JetStream) (messages [][]byte) {
	t.Helper()
	stream, err := js.Stream(t.Context(), notary.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	for sequence := uint64(1); sequence <= stream.CachedInfo().State.LastSeq; sequence++ {
		m, err := stream.GetMsg(t.Context(), sequence)
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, m.Data)
	}
	return messages
}

func TestTheSettingsOfANotary(t *testing.T) {
	cfg := config.Default()
	options, err := Configure(cfg)
	if err != nil || options.Notary.Key.Signer != nil || options.Notary.Every > notary.MaxLeaves {
		t.Errorf("by default: %+v, %v", options.Notary, err)
	}
	cfg.Notary.Key = filepath.Join(t.TempDir(), "notary.key")
	if _, err := Configure(cfg); !errors.As(err, new(*config.Error)) || !strings.Contains(err.Error(), "notary.key") {
		t.Errorf("without the file: %v", err)
	}
	key, err := notary.EnsureKey(cfg.Notary.Key, "tidemark")
	if err != nil {
		t.Fatal(err)
	}
	if options, err = Configure(cfg); err != nil || options.Notary.Key.Public != key.Public {
		t.Errorf("%+v, %v", options.Notary, err)
	}
	cfg.Notary.Export = config.URL(t.TempDir())
	if _, err := Configure(cfg); !errors.As(err, new(*config.Error)) || !strings.Contains(err.Error(), "notary.export") {
		t.Errorf("with a directory to export to: %v", err)
	}
	cfg.Notary.Export = config.URL(filepath.Join(t.TempDir(), "missing", "checkpoints"))
	if _, err := Configure(cfg); !errors.As(err, new(*config.Error)) || !strings.Contains(err.Error(), "no directory") {
		t.Errorf("with a file in a directory that is not there: %v", err)
	}
	if err := os.WriteFile(cfg.Notary.Key, []byte("PRIVATE+KEY+nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Configure(cfg); err == nil || strings.Contains(err.Error(), "nonsense") {
		t.Errorf("with a damaged file: %v", err)
	}
}

// TestWhatTheSettingsAllowAnEntryHolds looks at the settings' own words, because config does not know the stream.
func TestWhatTheSettingsAllowAnEntryHolds(t *testing.T) {
	row := config.Default().Settings("notary.every")[0]
	if want := fmt.Sprintf("from 1 to %d", notary.MaxLeaves); !strings.Contains(row.Allowed, want) {
		t.Errorf("%s is %s, want %s", row.Key, row.Allowed, want)
	}
	options := withNotary(t, testOptions("", "x"))
	for every, ok := range map[int]bool{0: false, 1: true, notary.MaxLeaves: true, notary.MaxLeaves + 1: false} {
		options.Notary.Every = every
		if err := options.check(); (err == nil) != ok {
			t.Errorf("%d: %v", every, err)
		}
	}
}
