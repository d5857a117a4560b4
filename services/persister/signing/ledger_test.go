package signing

import (
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

func TestALedgerThatIsTooSmallStopsNothingElse(t *testing.T) {
	t.Parallel()
	js := logtest.Start(t).Provision(logtest.Config())
	config := jetstream.StreamConfig{
		Name: notary.StreamName, Subjects: []string{"audit.>"}, Discard: jetstream.DiscardNew, MaxBytes: 10 << 10,
		AllowDirect: true, DenyDelete: true, DenyPurge: true,
	}
	stream, err := js.CreateStream(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, js, 200)
	options := impatient(t)
	r := notarise(t, js, options, follow(t, js))
	eventually(t, "a failure", func() bool { return value(t, r.metrics.failures) > 0 })
	config = stream.CachedInfo().Config
	config.MaxBytes = -1
	if _, err := js.UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	r.reaches(t, 200)
	r.stop()
	checkChain(t, entriesOf(t, js), leavesOf(t, js, 200), options)
}

func TestBehindWhatIsNoCheckpointAnotherTreeIsBegun(t *testing.T) {
	t.Parallel()
	js := logtest.Start(t).Provision(logtest.Config())
	options := impatient(t)
	fill(t, js, 25)
	r := notarise(t, js, options, follow(t, js))
	r.reaches(t, 25)
	r.stop()
	if _, err := js.Publish(t.Context(), "audit.checkpoint", []byte("hello")); err != nil {
		t.Fatal(err)
	}
	last := fill(t, js, 5)
	r = notarise(t, js, options, follow(t, js))
	r.reaches(t, last)
	r.stop()
	e, err := notary.OpenAudit(js).Last(t.Context())
	if err != nil || e.Began != 5 || e.Size != last || r.said.count("WARN", "anew") != 1 || r.said.count("the log is the one", "offsets=25") != 1 {
		t.Errorf("%+v, %v", e, err)
	}
	if c, err := notary.Verify([]byte(e.Signed), options.Key.Verifier); err != nil || c.Root != naiveRoot(leavesOf(t, js, last)) {
		t.Errorf("%+v, %v", c, err)
	}
}

// Before another tree is begun the log must fit the checkpoints behind which it would begin.
func TestBehindWhatIsNoCheckpointAnAlteredLogIsNotSigned(t *testing.T) {
	t.Parallel()
	js := logtest.Start(t).Provision(logtest.Config())
	options := impatient(t)
	state, err := eventlog.Open(js).State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fill(t, js, 25)
	leaves := leavesOf(t, js, 25)
	leaves[3] = notary.NoLeaf() // what was signed is not what the log holds
	e, err := notary.MakeEntry(notary.Entry{}, &notary.Tree{}, leaves, state.Epoch, time.Now(), options.Key)
	if err != nil {
		t.Fatal(err)
	}
	if err := notary.Provision(t.Context(), js, 1, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if err := notary.OpenAudit(js).Append(t.Context(), 0, &e); err != nil {
		t.Fatal(err)
	}
	if _, err := js.PublishMsg(t.Context(), &nats.Msg{Subject: "audit.checkpoint"}); err != nil {
		t.Fatal(err)
	}
	r := notarise(t, js, options, follow(t, js))
	eventually(t, "it refuses", func() bool { return r.Report().Problem != "" })
	r.stop()
	if last, err := notary.OpenAudit(js).Last(t.Context()); err == nil || last.Sequence != 2 {
		t.Errorf("%+v, %v", last, err)
	}
}

func TestAnotherKeyGoesOnOnlyFromWhatTheLogHolds(t *testing.T) {
	t.Parallel()
	for name, forge := range map[string]bool{"the key was changed": false, "somebody forged the last checkpoint": true} {
		t.Run(name, func(t *testing.T) {
			js := logtest.Start(t).Provision(logtest.Config())
			fill(t, js, 25)
			a := follow(t, js)
			leaves := leavesOf(t, js, 25)
			if forge {
				leaves[3] = notary.NoLeaf()
			}
			if err := notary.Provision(t.Context(), js, 1, slog.New(slog.DiscardHandler)); err != nil {
				t.Fatal(err)
			}
			e, err := notary.MakeEntry(notary.Entry{}, &notary.Tree{}, leaves, a.epoch.Load().(string), time.Now(), newKey(t))
			if err != nil {
				t.Fatal(err)
			}
			if err := notary.OpenAudit(js).Append(t.Context(), 0, &e); err != nil {
				t.Fatal(err)
			}
			fill(t, js, 5)
			a.move(t)
			options := impatient(t)
			r := notarise(t, js, options, a)
			eventually(t, "it has decided", func() bool { return r.Report().Problem != "" || r.Report().Size == 30 })
			r.stop()
			last, err := notary.OpenAudit(js).Last(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			c, err := notary.Verify([]byte(last.Signed), options.Key.Verifier)
			if forge && (last.Sequence != 1 || r.Report().Problem == "") {
				t.Errorf("%+v signed behind a forged checkpoint", c)
			}
			if !forge && (err != nil || last.Began != 1 || last.From != 25 || c.Root != naiveRoot(leavesOf(t, js, 30))) {
				t.Errorf("%+v, %+v, %v", last, c, err)
			}
		})
	}
}
