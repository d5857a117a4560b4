package persister

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/readmodel/postgres/pgserver"
)

func startPostgres(t testing.TB) *pgserver.Server {
	t.Helper()
	s, err := pgserver.Start(context.Background(), pgserver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// value is the only value of a query's only row.
func value(t testing.TB, url, query string) (text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if err := conn.QueryRow(ctx, query).Scan(&text); err != nil {
		t.Fatal(err)
	}
	return text
}

// denseSQL is what a read model of n events without a hole has to say of itself.
const denseSQL = `SELECT format('%s %s %s %s', count(*), count(DISTINCT id), max("offset"), (SELECT count(*) FROM dead_letter)) FROM messages`

func wantDense(t testing.TB, url string, n uint64) {
	t.Helper()
	if got, want := value(t, url, denseSQL), fmt.Sprint(n, " ", n, " ", n, " 0"); got != want {
		t.Errorf("messages, ids, last, dead letters: %s, want %s", got, want)
	}
}

func TestAPostgreSQLThatIsKilledUnderLoadLosesNothing(t *testing.T) {
	t.Parallel()
	server, database := logtest.Start(t), startPostgres(t)
	js := server.Provision(logtest.Config())
	options := testOptions(server.URL(), database.URL("postgres"))
	options.BatchSize = 20
	p := run(t, options)
	const rounds, events = 2, 1000
	var last uint64
	for i := range rounds {
		next := keyed(t)
		last = logtest.Fill(t, js, events, func(j int) event.Event { return next(i*events + j) })
		eventually(t, "in the middle", func() bool { return p.status.report().Checkpoint > last-events/2 })
		database.Kill()
		if at := p.status.report().Checkpoint; at == last {
			t.Fatal("it was done before the server was killed")
		}
		p.becomes(recovering)
		if ready(t, p) == 200 {
			t.Error("ready without a database")
		}
		if err := database.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.reaches(last)
	}
	p.stop()
	wantDense(t, options.Database, last)
}

func TestOfTwoPersistersOnPostgreSQLOneTakesOver(t *testing.T) {
	server, database := logtest.Start(t), startPostgres(t)
	js := server.Provision(logtest.Config())
	options := testOptions(server.URL(), database.URL("postgres"))
	kill := spawn(t, options)
	first := logtest.Fill(t, js, 300, keyed(t))
	eventually(t, "the first one projects", func() bool { return projected(js) == first })
	p := run(t, options)
	p.becomes(standby)
	kill()
	wantTakeOver(t, p, js)
}

// wantTakeOver wants a persister to project soon after another one has stopped doing so, and each event once.
func wantTakeOver(t *testing.T, p *running, js jetstream.JetStream) {
	t.Helper()
	started := time.Now()
	last := logtest.Publish(t, js, logtest.Message(t, "general", "hi"))
	p.reaches(last)
	took := time.Since(started)
	t.Logf("took over within %v; a pin lives for %v", took, p.options.PinTTL)
	if took > 15*time.Second {
		t.Errorf("took over within %v", took)
	}
	wantDense(t, p.options.Database, last)
}

// One that is held up in the middle of a transaction holds the checkpoint's row, until the server ends its connection.
func TestAPersisterThatIsHeldUpInATransactionDoesNotKeepTheNextOneFromWriting(t *testing.T) {
	server, database := logtest.Start(t), startPostgres(t)
	js := server.Provision(logtest.Config())
	options := testOptions(server.URL(), database.URL("postgres"))
	process := start(t, child{options.NATSURL, options.Database, options.BatchSize, options.PinTTL, ""})
	first := logtest.Publish(t, js, logtest.Message(t, "general", "hi"))
	eventually(t, "the first one projects", func() bool { return projected(js) == first })
	p := run(t, options)
	p.becomes(standby)

	// Its transaction waits for the row, it is held up, and only then gets the row.
	row := lockCheckpoint(t, options.Database)
	logtest.Publish(t, js, logtest.Message(t, "general", "contested"))
	eventually(t, "it waits for the row", func() bool {
		return value(t, options.Database, `SELECT count(*)::text FROM pg_stat_activity WHERE wait_event_type = 'Lock'`) == "1"
	})
	if err := process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := row.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantTakeOver(t, p, js)
	if err := process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	last := logtest.Fill(t, js, 100, keyed(t))
	p.reaches(last)
	wantDense(t, options.Database, last)
}

// lockCheckpoint holds the checkpoint's row as long as the transaction lasts.
func lockCheckpoint(t *testing.T, url string) pgx.Tx {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	tx, err := conn.Begin(t.Context())
	if err == nil {
		_, err = tx.Exec(t.Context(), `SELECT FROM checkpoint FOR UPDATE`)
	}
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

func TestADatabaseThatIsNotThereYetIsWaitedFor(t *testing.T) {
	server, database := logtest.Start(t), startPostgres(t)
	js := server.Provision(logtest.Config())
	last := logtest.Fill(t, js, 10, keyed(t))
	database.Kill()
	p := run(t, testOptions(server.URL(), database.URL("postgres")))
	eventually(t, "said to be away", func() bool { return p.status.report().Problem != "" })
	if err := database.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.reaches(last)
}

func TestWhatIsWrongWithDatabaseURLIsAnErrorAtOnce(t *testing.T) {
	server, database := logtest.Start(t), startPostgres(t)
	server.Provision(logtest.Config())
	err := run(t, testOptions(server.URL(), database.URL("nobody's"))).fails()
	if !needsOperator(err) {
		t.Errorf("%v", err)
	}
}
