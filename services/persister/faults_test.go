package persister

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	dto "github.com/prometheus/client_model/go"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/query"
)

// spawn starts a persister as a process of its own. kill is SIGKILL.
func spawn(t *testing.T, o Options) (kill func()) {
	t.Helper()
	return spawnChild(t, child{o.NATSURL, o.Database, o.BatchSize, o.PinTTL, ""})
}

func spawnChild(t *testing.T, c child) (kill func()) {
	t.Helper()
	process := start(t, c)
	return func() {
		_ = process.Kill() // it is dead already, or is now
		_, _ = process.Wait()
	}
}

// start starts a persister as a process of its own, which is killed with the test.
func start(t *testing.T, c child) *os.Process {
	t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childOptions+"="+string(text))
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it is dead already, or is now
		_ = cmd.Wait()
	})
	return cmd.Process
}

// projected asks whoever answers how far the read model is.
func projected(js jetstream.JetStream) uint64 {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	checkpoint, err := query.NewClient(js.Conn()).Checkpoint(ctx)
	if err != nil {
		return 0
	}
	return checkpoint.Offset
}

func TestKilledInTheMiddleOfBatchesNothingIsMissingOrDoubled(t *testing.T) {
	t.Parallel()
	const n, kills = 11_000, 10
	server := logtest.Start(t)
	js := server.Provision(logtest.Config())
	ids := make([]string, 0, n)
	inRoom := keyed(t)
	logtest.Fill(t, js, n, func(i int) event.Event {
		e := inRoom(i)
		if i%2 == 0 {
			e = direct(t, fmt.Sprint("user-", i%7), fmt.Sprint("user-", i/7%7), e.Key)
		}
		ids = append(ids, e.ID)
		return e
	})
	options := testOptions(server.URL(), database(t))
	options.BatchSize, options.PinTTL = 50, 300*time.Millisecond

	for i := range kills {
		kill := spawn(t, options)
		at := uint64(i*n/kills/2 + rand.IntN(n/kills/2))
		eventually(t, "projected some", func() bool { return projected(js) > at })
		kill()
		if all := rows(t, options.Database, `SELECT "offset" FROM checkpoint WHERE "offset" = 11000`); len(all) > 0 {
			t.Fatal("it was done before it was killed")
		}
	}
	p := run(t, options)
	p.reaches(n)
	p.stop()
	got := rows(t, options.Database, `SELECT id FROM messages ORDER BY "offset"`)
	if len(got) != n {
		t.Fatalf("%d rows, want %d", len(got), n)
	}
	for i, id := range got {
		if id != `["`+ids[i]+`"]` {
			t.Fatalf("row %d is %s, want %s", i+1, id, ids[i])
		}
	}
	if got := rows(t, options.Database, `SELECT * FROM dead_letter`); len(got) != 0 {
		t.Errorf("dead letters %s", got)
	}
	killed := everything(t, options.Database)
	remove(t, options.Database)
	p = run(t, options)
	p.reaches(n)
	p.stop()
	if everything(t, options.Database) != killed {
		t.Error("rebuilt without a kill the database differs")
	}
}

func TestLargeMessagesComeInBatchesOfBoundedMemory(t *testing.T) {
	server := logtest.Start(t)
	js := server.Provision(logtest.Config())
	options := testOptions(server.URL(), database(t))
	options.BatchSize = 1000
	const n = 2*maxBatchBytes/60_000 + 20
	content := strings.Repeat("x", 60_000)
	logtest.Fill(t, js, n, func(int) event.Event { return logtest.Message(t, "general", content) })
	p := run(t, options)
	p.reaches(n)
	var batches dto.Metric
	if err := p.metrics.batchSeconds.Write(&batches); err != nil {
		t.Fatal(err)
	}
	if got := batches.Histogram.GetSampleCount(); got < 3 || got > 6 {
		t.Errorf("%d batches", got)
	}
}

func TestABacklogOfAReplicatedLogIsProjectedWithoutInterruption(t *testing.T) {
	js, url := logtest.Cluster(t)
	const n = 1000
	for i := range n {
		e := keyed(t)(i)
		if _, err := js.PublishMsgAsync(e.Encode()); err != nil {
			t.Fatal(err)
		}
	}
	<-js.PublishAsyncComplete()
	options := testOptions(url, database(t))
	options.Log.Replicas, options.BatchSize = 3, n/4
	p := run(t, options)
	p.reaches(n)
	var interruptions dto.Metric
	if err := p.metrics.interruptions.Write(&interruptions); err != nil || interruptions.Counter.GetValue() != 0 {
		t.Errorf("interrupted %v times, %v", interruptions.Counter.GetValue(), err)
	}
}

func TestADamagedDatabaseIsAnErrorThatNamesIt(t *testing.T) {
	server := logtest.Start(t)
	js := server.Provision(logtest.Config())
	options := testOptions(server.URL(), database(t))
	p := run(t, options)
	p.reaches(logtest.Fill(t, js, 10, keyed(t)))
	p.stop()
	db, err := sql.Open("sqlite", options.Database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec(`UPDATE checkpoint SET "offset" = 0, epoch = ''`); err != nil { // rows beyond the checkpoint
		t.Fatal(err)
	}
	if err := run(t, options).fails(); !strings.Contains(err.Error(), options.Database+" is damaged") || !strings.Contains(err.Error(), "move it away") {
		t.Error(err)
	}
}

func TestADeletedConsumerIsMadeAgain(t *testing.T) {
	server := logtest.Start(t)
	js := server.Provision(logtest.Config())
	options := testOptions(server.URL(), database(t))
	p := run(t, options)
	p.reaches(logtest.Fill(t, js, 200, keyed(t)))
	if err := js.DeleteConsumer(t.Context(), eventlog.StreamName, eventlog.ConsumerName); err != nil {
		t.Fatal(err)
	}
	p.reaches(logtest.Publish(t, js, logtest.Message(t, "general", "hi")))
	p.stop()
	if got := rows(t, options.Database, `SELECT id FROM messages`); len(got) != 201 {
		t.Errorf("%d rows", len(got))
	}
}

func TestARestartOfTheLogIsSurvived(t *testing.T) {
	server := logtest.Start(t)
	js := server.Provision(logtest.Config())
	p := run(t, testOptions(server.URL(), database(t)))
	p.reaches(logtest.Fill(t, js, 200, keyed(t)))
	for range 2 {
		server.Stop()
		p.becomes(recovering)
		if ready(t, p) == 200 {
			t.Error("ready without the log")
		}
		server.Restart()
		p.reaches(logtest.Publish(t, server.Connect(), logtest.Message(t, "general", "hi")))
		eventually(t, "ready", func() bool { return p.status.report().Ready })
	}
	if projected(server.Connect()) != 202 {
		t.Error("questions are not answered, though it is ready")
	}
}

func TestAStreamThatGoesAwayIsNoticed(t *testing.T) {
	server := logtest.Start(t)
	js := server.Provision(logtest.Config())
	p := run(t, testOptions(server.URL(), database(t)))
	p.reaches(logtest.Publish(t, js, logtest.Message(t, "general", "hi")))
	if err := js.DeleteStream(t.Context(), eventlog.StreamName); err != nil {
		t.Fatal(err)
	}
	p.becomes(recovering)
	if _, err := js.Stream(t.Context(), eventlog.StreamName); err == nil {
		t.Error("a new log was made in its place")
	}
	eventually(t, "another log is made", func() bool { // nats-server may still be removing the files of the first
		return eventlog.Provision(t.Context(), js, logtest.Config(), slog.New(slog.DiscardHandler)) == nil
	})
	if err := p.fails(); !strings.Contains(err.Error(), "epoch") {
		t.Error(err)
	}
}

func TestADatabaseFromAnOlderCopyCatchesUp(t *testing.T) {
	server := logtest.Start(t)
	js := server.Provision(logtest.Config())
	options := testOptions(server.URL(), database(t))
	p := run(t, options)
	p.reaches(logtest.Fill(t, js, 100, keyed(t)))
	p.stop()
	old, err := os.ReadFile(options.Database)
	if err != nil {
		t.Fatal(err)
	}
	p = run(t, options)
	last := logtest.Publish(t, js, logtest.Message(t, "general", "hi"))
	p.reaches(last)
	p.stop()
	want := everything(t, options.Database)

	remove(t, options.Database)
	if err := os.WriteFile(options.Database, old, 0o600); err != nil {
		t.Fatal(err)
	}
	p = run(t, options)
	p.reaches(last)
	p.stop()
	if everything(t, options.Database) != want {
		t.Error("the database differs")
	}
}

func TestAHoleInTheLogIsRecordedAndPassed(t *testing.T) {
	server := logtest.Start(t)
	js := server.Connect()
	config := jetstream.StreamConfig{
		Name: eventlog.StreamName, Subjects: []string{"chat.>"}, DenyPurge: true, AllowDirect: true, AllowAtomicPublish: true, Discard: jetstream.DiscardNew,
	}
	stream, err := js.CreateStream(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	last := logtest.Fill(t, js, 300, keyed(t))
	for _, offset := range []uint64{1, 2, 150, 151, 152, 290} { // a damaged file
		if err := stream.DeleteMsg(t.Context(), offset); err != nil {
			t.Fatal(err)
		}
	}
	config.DenyDelete = true
	if _, err := js.UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	options := testOptions(server.URL(), database(t))
	p := run(t, options)
	p.reaches(last)
	p.stop()
	got := rows(t, options.Database, `SELECT "offset" || '-' || through || ' ' || reason FROM dead_letter ORDER BY "offset"`)
	if want := `["1-2 the log holds nothing at these 2 offsets"] ["150-152 the log holds nothing at these 3 offsets"] ["290-290 the log holds nothing at these 1 offsets"]`; strings.Join(got, " ") != want {
		t.Errorf("dead letters %s", got)
	}
	if got := rows(t, options.Database, `SELECT id FROM messages`); len(got) != 294 {
		t.Errorf("%d rows", len(got))
	}
}

func TestAConsumerWithOtherSettingsIsAnErrorThatNamesIt(t *testing.T) {
	server := logtest.Start(t)
	js := server.Provision(logtest.Config())
	if _, err := js.CreateConsumer(t.Context(), eventlog.StreamName, jetstream.ConsumerConfig{Durable: eventlog.ConsumerName, AckPolicy: jetstream.AckExplicitPolicy}); err != nil {
		t.Fatal(err)
	}
	if err := run(t, testOptions(server.URL(), database(t))).fails(); !strings.Contains(err.Error(), "consumer persister of stream CHAT") {
		t.Error(err)
	}
}
