package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// rights is what an auditor may publish to, as docs/audit.md says.
var rights = []string{
	"$JS.API.STREAM.INFO.CHAT", "$JS.API.STREAM.MSG.GET.CHAT", "$JS.API.DIRECT.GET.CHAT", "$JS.API.CONSUMER.CREATE.CHAT.>",
	"$JS.API.CONSUMER.MSG.NEXT.CHAT.>", "$JS.API.CONSUMER.DELETE.CHAT.>",
	"$JS.API.STREAM.INFO.AUDIT", "$JS.API.DIRECT.GET.AUDIT", "tidemark.query.checkpoint",
}

// guarded is a server with a log of three events, and one user for each right who lacks it, beside "all" who has all.
func guarded(t *testing.T) (url func(user string) string) {
	t.Helper()
	user := func(name string, may []string) *server.User {
		u := &server.User{Username: name, Password: "p"}
		if may != nil {
			u.Permissions = &server.Permissions{
				Publish:   &server.SubjectPermission{Allow: may},
				Subscribe: &server.SubjectPermission{Allow: []string{eventlog.Auditor.InboxPrefix() + ".>"}},
			}
		}
		return u
	}
	users := []*server.User{user("operator", nil), user("all", rights)}
	for _, right := range rights {
		users = append(users, user(right, slices.DeleteFunc(slices.Clone(rights), func(r string) bool { return r == right })))
	}
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), Users: users, NoLog: true, NoSigs: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	nc, js, err := eventlog.Connect(s.ClientURL(), "test", slog.New(slog.DiscardHandler), nats.UserInfo("operator", "p"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	if err := eventlog.Provision(t.Context(), js, logtest.Config(), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if err := notary.Provision(t.Context(), js, 1, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		logtest.Publish(t, js, logtest.Message(t, "general", "hello"))
	}
	return func(user string) string {
		return strings.Replace(s.ClientURL(), "//", "//"+strings.NewReplacer("$", "%24", ">", "%3E").Replace(user)+":p@", 1)
	}
}

func TestTheRightsInTheDocsAreThoseThatAreNeeded(t *testing.T) {
	docs, err := os.ReadFile(filepath.FromSlash("../../../../docs/audit.md"))
	if err != nil {
		t.Fatal(err)
	}
	url := guarded(t)
	for _, args := range [][]string{{"replay"}, {"verify", "--only", "log"}, {"stat"}} {
		if got := call(t, url("all"), args...); got.code != 0 || strings.Contains(got.stderr, "ermission") {
			t.Errorf("%v with all rights: %+v", args, got)
		}
	}
	for _, right := range rights {
		if strings.Contains(right, "CHAT") && !strings.Contains(string(docs), "`"+right+"`") {
			t.Errorf("docs/audit.md does not have %s", right)
		}
		args := []string{"replay"}
		switch {
		case strings.Contains(right, "AUDIT"):
			args = []string{"checkpoint"}
		case strings.Contains(right, "DIRECT.GET"):
			args = []string{"replay", "--since", "1h"}
		case strings.Contains(right, "MSG.GET"): // only where the log ends early
			continue
		case strings.Contains(right, "DELETE"), strings.Contains(right, "query"): // can be done without
			if got := call(t, url(right), "stat"); got.code != 0 {
				t.Errorf("without %s: %+v", right, got)
			}
			continue
		}
		if right == "$JS.API.DIRECT.GET.AUDIT" { // not asked for while there is no checkpoint
			continue
		}
		got := call(t, url(right), args...)
		if named := strings.TrimSuffix(right, ">"); got.code != couldNot || !strings.Contains(got.stderr, named) {
			t.Errorf("%v without %s: %+v", args, right, got)
		}
	}
}
