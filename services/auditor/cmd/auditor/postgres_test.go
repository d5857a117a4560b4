package main

import (
	"context"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/readmodel/postgres/pgserver"
)

func TestAReadModelInPostgreSQLIsRebuiltAndVerified(t *testing.T) {
	server := logtest.Start(t)
	logtest.Fill(t, server.Provision(logtest.Config()), 30, func(int) event.Event {
		return logtest.Message(t, "general", "hi")
	})
	database, err := pgserver.Start(context.Background(), pgserver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = database.Stop() })
	for _, name := range []string{"live", "new"} {
		if err := database.CreateDatabase(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("TIDEMARK_DATABASE_URL", database.URL("live"))
	for _, test := range []struct {
		code int
		want string
		args []string
	}{
		{2, "to rebuild without comparing, give --no-compare", []string{"rebuild", "--into", database.URL("new")}},
		{2, "database does not exist", []string{"rebuild", "--no-compare", "--into", database.URL("nowhere")}},
		{2, "the place of the read model in use", []string{"rebuild", "--no-compare", "--into", database.URL("live")}},
		{0, "rebuilt, not compared", []string{"rebuild", "--no-compare", "--into", database.URL("new")}},
	} {
		if got := call(t, server.URL(), test.args...); got.code != test.code || !strings.Contains(got.stdout+got.stderr, test.want) {
			t.Errorf("%v: %d\n%s%s\nwant %d, %s", test.args, got.code, got.stdout, got.stderr, test.code, test.want)
		}
	}
	t.Setenv("TIDEMARK_DATABASE_URL", database.URL("new"))
	for _, test := range []struct {
		want string
		args []string
	}{
		{"the live read model is what the log makes it", []string{"rebuild", "--into", database.URL("live")}},
		{"rows compared: 30 messages", []string{"verify", "--only", "log,readmodel"}},
	} {
		got := call(t, server.URL(), test.args...)
		if got.code != 0 || !strings.Contains(got.stdout, test.want) || strings.Contains(got.stdout+got.stderr, database.URL("live")) {
			t.Errorf("%v: %d\n%s%s", test.args, got.code, got.stdout, got.stderr)
		}
	}
}
