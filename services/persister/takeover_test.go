package persister

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/provision"
)

func TestOfTwoPersistersOneWorksAndTheOtherTakesOver(t *testing.T) {
	server := logtest.Start(t)
	js := server.Provision(logtest.Config())
	options := testOptions(server.URL(), database(t))
	kill := spawn(t, options)
	first := logtest.Fill(t, js, 300, keyed(t))
	eventually(t, "the first one projects", func() bool { return projected(js) == first })

	p := run(t, options)
	p.becomes(standby)
	if ready(t, p) != 200 {
		t.Error("a standby is not ready")
	}
	second := logtest.Publish(t, js, logtest.Message(t, "general", "hi"))
	p.reaches(second) // it follows, though it does not write
	if !strings.Contains(metricsPage(t, p), "tidemark_persister_rows_total 0") {
		t.Error("the standby wrote")
	}

	kill()
	started := time.Now()
	last := logtest.Publish(t, js, logtest.Message(t, "general", "hi"))
	p.reaches(last)
	t.Logf("took over within %v; a pin lives for %v", time.Since(started), options.PinTTL)
	if p.status.report().Role != active {
		t.Errorf("role %s", p.status.report().Role)
	}
}

func TestOfTwoPersistersUnderLoadEachRowIsWrittenOnce(t *testing.T) {
	server := logtest.Start(t)
	js := server.Provision(logtest.Config())
	options := testOptions(server.URL(), database(t))
	options.BatchSize = 20
	one, two := run(t, options), run(t, options)
	const rounds = 5
	var last uint64
	for i := range rounds {
		next := keyed(t)
		last = logtest.Fill(t, js, 500, func(j int) event.Event { return next(i*500 + j) })
		if i == rounds/2 { // whichever it is
			one.stop()
		}
	}
	two.reaches(last)
	two.stop()
	got := rows(t, options.Database, `SELECT count(*) || ' ' || count(DISTINCT id) || ' ' || max("offset") FROM messages`)
	if want := fmt.Sprintf(`["%d %d %d"]`, last, last, last); got[0] != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A persister whose transaction waits while another one projects the same
// event finds the checkpoint moved, and goes on from there.
func TestAPersisterThatLostThePinIsFenced(t *testing.T) {
	server := logtest.Start(t)
	js := server.Provision(logtest.Config())
	options := testOptions(server.URL(), database(t))
	p := run(t, options)
	p.reaches(logtest.Publish(t, js, logtest.Message(t, "general", "before")))

	db, err := sql.Open("sqlite", "file:"+options.Database+"?_txlock=immediate&_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	offset := logtest.Publish(t, js, logtest.Message(t, "general", "contested"))
	e, err := eventlog.Open(js).Get(t.Context(), offset)
	if err != nil {
		t.Fatal(err)
	}
	consumer, err := js.Consumer(t.Context(), eventlog.StreamName, eventlog.ConsumerName)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the persister has the event", func() bool {
		info, err := consumer.Info(t.Context())
		return err == nil && info.Delivered.Stream == offset
	})
	if _, err := tx.Exec(`UPDATE checkpoint SET "offset" = ?, at = ?, digest = ?`, int64(offset), e.At.UnixNano(), e.Digest.String()); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(`INSERT INTO messages (conversation, "offset", id, at, sender, sender_name, recipient, scope, content, digest)
		VALUES (?, ?, ?, ?, '', '', '', '', ?, ?)`, e.Conversation.String(), int64(offset), e.ID, e.At.UnixNano(), e.Content, e.Digest.String()); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	p.reaches(logtest.Publish(t, js, logtest.Message(t, "general", "after")))
	p.stop()
	if got := rows(t, options.Database, `SELECT content FROM messages ORDER BY "offset"`); strings.Join(got, " ") != `["before"] ["contested"] ["after"]` {
		t.Errorf("%s", got)
	}
}

func TestWhereverTheConsumerIsSetTheCheckpointDecides(t *testing.T) {
	for name, ahead := range map[string]int{"back": -100, "to the first offset": -1000, "ahead": +3} {
		t.Run(name, func(t *testing.T) {
			server := logtest.Start(t)
			js := server.Provision(logtest.Config())
			options := testOptions(server.URL(), database(t))
			p := run(t, options)
			last := logtest.Fill(t, js, 250, keyed(t))
			p.reaches(last)
			to := uint64(max(1, int(last)+1+ahead))
			if _, err := js.ResetConsumerToSequence(t.Context(), eventlog.StreamName, eventlog.ConsumerName, to); err != nil {
				t.Fatal(err)
			}
			for range 5 {
				last = logtest.Publish(t, js, logtest.Message(t, "general", "hi"))
			}
			p.reaches(last)
			p.stop()
			got := rows(t, options.Database, `SELECT count(*) || ' ' || count(DISTINCT "offset") || ' ' || (SELECT count(*) FROM dead_letter) FROM messages`)
			if want := `["255 255 0"]`; got[0] != want {
				t.Errorf("got %s, want %s", got[0], want)
			}
		})
	}
}

// What a persister was given before it died comes back at once, not after the
// consumer's patience with it.
func TestUnacknowledgedDeliveriesOfADeadPersisterAreTakenUpAtOnce(t *testing.T) {
	server := logtest.Start(t)
	js := server.Provision(logtest.Config())
	options := testOptions(server.URL(), database(t))
	last := logtest.Fill(t, js, 50, keyed(t))
	consumer, _, err := eventlog.Consumer{BatchSize: options.BatchSize, PinTTL: options.PinTTL}.Ensure(t.Context(), js, provision.Make)
	if err != nil {
		t.Fatal(err)
	}
	batch, err := consumer.Fetch(30, jetstream.FetchPriorityGroup(eventlog.PriorityGroup))
	if err != nil {
		t.Fatal(err)
	}
	for range batch.Messages() {
	}
	started := time.Now()
	run(t, options).reaches(last)
	if took := time.Since(started); took > consumer.CachedInfo().Config.AckWait/2 {
		t.Errorf("took %v", took)
	}
}
