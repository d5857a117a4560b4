package persister

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/streams/embedded"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

func TestProjectsTheLogAndAnswersQuestions(t *testing.T) {
	server := logtest.Start(t)
	js := server.Provision(logtest.Config())
	logtest.Fill(t, js, 250, keyed(t))
	p := run(t, testOptions(server.URL(), database(t)))
	p.reaches(250)
	e := logtest.Keyed(t, "general", "one more", "k")
	last := logtest.Publish(t, js, e)
	p.reaches(last)

	reply, err := query.NewClient(js.Conn()).Lookup(t.Context(), query.LookupRequest{Scope: e.Scope, Key: e.Key})
	if err != nil || reply.Event == nil || reply.Event.Offset != last || !reply.Event.Intact() {
		t.Fatalf("%+v, %v", reply, err)
	}
	stored, err := eventlog.Open(js).Get(t.Context(), last)
	if err != nil || *reply.Event != stored {
		t.Errorf("got %+v, the log has %+v, %v", *reply.Event, stored, err)
	}
	if reply.Checkpoint.Offset != last || !reply.Checkpoint.At.Equal(stored.At) || reply.Checkpoint.Epoch == "" {
		t.Errorf("checkpoint %+v", reply.Checkpoint)
	}
}

func TestASingleMessageIsProjectedAtOnce(t *testing.T) {
	server := logtest.Start(t)
	js := server.Provision(logtest.Config())
	options := testOptions(server.URL(), database(t))
	options.PinTTL = time.Minute // and so the longest pull
	p := run(t, options)
	p.becomes(waiting)
	for range 5 {
		started := time.Now()
		p.reaches(logtest.Publish(t, js, logtest.Message(t, "general", "hi")))
		if took := time.Since(started); took > maxPull/2 {
			t.Errorf("took %v", took)
		}
	}
}

func TestADeletedDatabaseIsRebuiltIdentical(t *testing.T) {
	server := logtest.Start(t)
	js := server.Provision(logtest.Config())
	logtest.Fill(t, js, 1000, mixed(t))
	poison(t, js)
	last := logtest.Publish(t, js, logtest.Message(t, "general", "the end"))
	options := testOptions(server.URL(), database(t))
	p := run(t, options)
	p.reaches(last)
	p.stop()
	first := everything(t, options.Database)
	for table, want := range map[string]int{"messages": 334 + 333 + 1, "users": 167, "dead_letter": 166 + 1, "direct": 25} {
		if got := rows(t, options.Database, "SELECT 1 FROM "+table); len(got) != want {
			t.Errorf("%d rows of %s, want %d", len(got), table, want)
		}
	}

	remove(t, options.Database)
	options.BatchSize = 77 // the rows do not tell how they were written
	p = run(t, options)
	p.reaches(last)
	p.stop()
	if again := everything(t, options.Database); again != first {
		t.Error("the rebuilt database differs")
	}
}

// poison publishes a message to the log that is no event.
func poison(t testing.TB, js jetstream.JetStream) uint64 {
	t.Helper()
	ack, err := js.PublishMsg(context.Background(), &nats.Msg{
		Subject: subject.Of(subject.General), Data: []byte("\x00poison"), Header: nats.Header{"X": {"y"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return ack.Sequence
}

func TestUsersAndDirectMessagesAreFound(t *testing.T) {
	server := logtest.Start(t)
	js := server.Provision(logtest.Config())
	p := run(t, testOptions(server.URL(), database(t)))
	a, err1 := event.NewRegistered("a", "Ann")
	again, err2 := event.NewRegistered("a", "Ann again")
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	misplaced := direct(t, "a", "b", "")
	misplaced.Sender = "c" // a message of c's in the conversation of a and b
	misplaced.Seal()
	p.reaches(logtest.Publish(t, js, a, direct(t, "a", "b", ""), direct(t, "b", "c", ""), again, misplaced, direct(t, "a", "a", "")))

	client := query.NewClient(js.Conn())
	users, err := client.Users(t.Context(), query.UsersRequest{Newest: 10})
	if err != nil || len(users.Users) != 1 || users.Users[0].Name != "Ann" || users.Users[0].Offset != 1 || users.Checkpoint.Offset != 6 {
		t.Errorf("users %+v, %v", users, err)
	}
	list, err := client.Direct(t.Context(), query.DirectRequest{User: "a", Conversations: 10, Messages: 10})
	if err != nil || len(list.Events) != 2 || list.Events[0].Offset != 6 || list.Events[1].Offset != 2 {
		t.Errorf("direct %+v, %v", list, err)
	}
	missed, err := client.After(t.Context(), query.AfterRequest{Conversations: []subject.Conversation{subject.Inbox("b")}})
	if err != nil || len(missed.Events) != 2 || missed.Events[0].Offset != 2 || missed.Events[1].Offset != 3 || missed.Through != 6 {
		t.Errorf("inbox %+v, %v", missed, err)
	}
	page := metricsPage(t, p)
	for _, want := range []string{"tidemark_persister_rows_total 4", "tidemark_persister_dead_letters_total 2", `tidemark_persister_skipped_total{unknown="type"} 0`} {
		if !strings.Contains(page, want) {
			t.Errorf("metrics have no %q", want)
		}
	}
}

func TestWhatCannotBeProjectedIsKeptAndPassed(t *testing.T) {
	server := logtest.Start(t)
	config := logtest.Config()
	config.DedupWindow = 100 * time.Millisecond
	js := server.Provision(config)
	options := testOptions(server.URL(), database(t))
	options.Log = config
	p := run(t, options)

	e := logtest.Keyed(t, "general", "hi", "k")
	first := logtest.Publish(t, js, e)
	var taken uint64 // the log forgets a key after its window
	eventually(t, "stored under the same key again", func() bool { taken = logtest.Publish(t, js, e); return taken != first })
	poisoned := poison(t, js)
	unknown := logtest.Message(t, "general", "hi")
	unknown.Type = "message.edited"
	unknown.Seal()
	logtest.Publish(t, js, unknown)
	newer := unknown.Encode()
	newer.Header.Set("Tidemark-Schema", "2")
	if _, err := js.PublishMsg(t.Context(), newer); err != nil {
		t.Fatal(err)
	}
	p.reaches(poisoned + 2)
	last := logtest.Publish(t, js, logtest.Message(t, "general", "after"))
	p.reaches(last)
	p.stop()

	got := rows(t, options.Database, `SELECT "offset" || '-' || through, content, headers, subject FROM dead_letter ORDER BY "offset"`)
	if len(got) != 2 || !strings.HasPrefix(got[0], fmt.Sprintf(`["%d-%d" "hi"`, taken, taken)) ||
		!strings.Contains(got[1], `"\x00poison" "X: y\r\n" "chat.0.room.ngeneral"`) {
		t.Errorf("dead letters %s", got)
	}
	if got := rows(t, options.Database, `SELECT "offset" FROM messages ORDER BY 1`); len(got) != 2 {
		t.Errorf("messages %s", got)
	}
	page := metricsPage(t, p)
	for _, want := range []string{
		"tidemark_persister_dead_letters_total 2", "tidemark_persister_rows_total 2", "tidemark_persister_lag 0",
		`tidemark_persister_skipped_total{unknown="type"} 1`, `tidemark_persister_skipped_total{unknown="schema"} 1`,
		fmt.Sprintf("tidemark_persister_checkpoint_offset %d", last), "go_goroutines", "tidemark_persister_batch_seconds_count",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("metrics have no %q", want)
		}
	}
}

func metricsPage(t *testing.T, p *running) string {
	t.Helper()
	recorder := httptest.NewRecorder()
	p.Handler().ServeHTTP(recorder, httptest.NewRequest("GET", "/metrics", nil))
	return recorder.Body.String()
}

func TestStartsBeforeTheLogDoes(t *testing.T) {
	server := logtest.Start(t)
	server.Provision(logtest.Config())
	server.Stop()
	p := run(t, testOptions(server.URL(), database(t)))
	eventually(t, "says that the log is away", func() bool { return p.status.report().Problem != "" })
	if ready(t, p) != http.StatusServiceUnavailable {
		t.Error("ready without the log")
	}
	server.Restart()
	p.becomes(waiting)
	p.reaches(logtest.Publish(t, server.Connect(), logtest.Message(t, "general", "hi")))
	eventually(t, "ready", func() bool { return ready(t, p) == http.StatusOK })
}

func ready(t *testing.T, p *running) int {
	t.Helper()
	return askReadyz(t, p).Code
}

func readyz(t *testing.T, p *running) string {
	t.Helper()
	return askReadyz(t, p).Body.String()
}

func askReadyz(t *testing.T, p *running) *httptest.ResponseRecorder {
	t.Helper()
	recorder := httptest.NewRecorder()
	p.Handler().ServeHTTP(recorder, httptest.NewRequest("GET", "/readyz", nil))
	t.Log(recorder.Body.String())
	return recorder
}

func TestGivesUpOnALogThatDoesNotCome(t *testing.T) {
	server := logtest.Start(t)
	server.Stop()
	options := testOptions(server.URL(), database(t))
	options.StartWait = time.Nanosecond
	err := run(t, options).fails()
	if !strings.Contains(err.Error(), "the log is not there") || !strings.Contains(err.Error(), server.URL()) || !strings.Contains(err.Error(), "nobody listens there") {
		t.Error(err)
	}
}

func TestWaitingForTheLogIsToldOfOnceForEachReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged strings.Builder
		p := &Persister{options: Options{StartWait: 30 * time.Second}, status: &status{}, log: slog.New(slog.NewTextHandler(&logged, nil))}
		attempts := 0
		err := p.await(t.Context(), "the log", func() (bool, error) {
			attempts++
			return true, fmt.Errorf("reason %d", attempts/10)
		})
		if err == nil || attempts < 15 || attempts > 20 || strings.Count(logged.String(), "reason 0") != 1 || strings.Count(logged.String(), "\n") != 2 {
			t.Errorf("%d attempts, %v:\n%s", attempts, err, logged.String())
		}
	})
}

func TestStopsWhileItWaitsForTheLog(t *testing.T) {
	server := logtest.Start(t)
	server.Stop()
	p := run(t, testOptions(server.URL(), database(t)))
	eventually(t, "waits", func() bool { return p.status.report().Problem != "" })
	p.stop()
}

func TestATakenPortIsAnError(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	options := testOptions("", database(t))
	options.Listen = listener.Addr().String()
	if _, err := New(options, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), options.Listen) {
		t.Errorf("got %v", err)
	}
}

func TestServesHealthWhileItRuns(t *testing.T) {
	server, err := embedded.Start(embedded.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	options := testOptions("", database(t)) // in process, without a network
	options.NATSOptions = append(options.NATSOptions, server.InProcess())
	options.Listen = listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	p := run(t, options)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		eventually(t, path, func() bool {
			response, err := client.Get("http://" + options.Listen + path)
			return err == nil && response.Body.Close() == nil && response.StatusCode == http.StatusOK
		})
	}
	p.stop()
}

func TestConfigureTakesTheSettings(t *testing.T) {
	cfg := config.Default()
	options, err := Configure(cfg)
	if err != nil || options.check() != nil || options.BatchSize != 1000 || options.PinTTL != 3*time.Second {
		t.Errorf("%+v, %v", options, err)
	}
}
