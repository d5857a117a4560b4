package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/permissions"
	"github.com/tidemark-chat/tidemark/streams/permissions/permissionstest"
	"github.com/tidemark-chat/tidemark/streams/provision"
	"github.com/tidemark-chat/tidemark/streams/session"
)

// call runs a subcommand, and returns what it printed.
func call(t *testing.T, args ...string) (string, error) {
	t.Helper()
	root := &cobra.Command{Use: "streams", SilenceErrors: true, SilenceUsage: true}
	config.Flags(root.PersistentFlags(), append(service().Sections, "log")...)
	root.AddCommand(service().Extra...)
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(t.Output())
	root.SetArgs(args)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

// outcomes are those of streams provision with some flags, by name.
func outcomes(t *testing.T, args ...string) (map[string]provision.Result, error) {
	t.Helper()
	out, err := call(t, append([]string{"provision", "--format", "json"}, args...)...)
	var results []provision.Result
	if decoded := json.Unmarshal([]byte(out), &results); decoded != nil {
		t.Fatalf("%q: %v, %v", out, decoded, err)
	}
	byName := map[string]provision.Result{}
	for _, r := range results {
		byName[r.Name] = r
	}
	return byName, err
}

var everything = []string{"CHAT", "AUDIT", "SESSIONS", "REVOCATIONS", "PRESENCE", "LEASES", "persister"}

// all reports whether everything has an outcome.
func all(results map[string]provision.Result, want provision.Outcome) bool {
	return len(results) == len(everything) && !slices.ContainsFunc(everything, func(name string) bool { return results[name].Outcome != want })
}

func TestProvisionMakesWhatIsMissingAndCheckNothing(t *testing.T) {
	s := permissionstest.Start(t, permissions.Options{Notary: true})
	at := "--nats.url=" + s.URL(eventlog.Provisioner)
	for range 2 {
		if got, err := outcomes(t, at, "--check"); err == nil || !all(got, provision.Missing) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if got, err := outcomes(t, at); err != nil || !all(got, provision.Made) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, args := range [][]string{{at}, {at, "--check"}} {
		if got, err := outcomes(t, args...); err != nil || !all(got, provision.Fits) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if refusals := s.Refusals(); len(refusals) > 0 {
		t.Errorf("the provisioner was refused %q", refusals)
	}
}

func TestProvisionChangesWhatConcernsAllServicesAndMakesNothingSmaller(t *testing.T) {
	s := permissionstest.Start(t, permissions.Options{})
	at := "--nats.url=" + s.URL(eventlog.Provisioner)
	if _, err := outcomes(t, at); err != nil {
		t.Fatal(err)
	}
	more := []string{
		at, "--stream.republish", "--stream.max-bytes=11GiB", "--gateway.session-ttl=800h", "--gateway.presence-lease=20s", "--persister.batch-size=5000",
	}
	changes := map[string]string{"CHAT": "republish", "SESSIONS": "lifetime", "LEASES": "lifetime", "persister": "max ack pending"}
	check, err := outcomes(t, append(more, "--check")...)
	if err == nil {
		t.Error("what differs passed the check")
	}
	made, err := outcomes(t, more...)
	for name, what := range changes {
		if err != nil || check[name].Outcome != provision.Differs || made[name].Outcome != provision.Changed || !strings.Contains(fmt.Sprint(made[name].Changes), what) {
			t.Errorf("%+v, then %+v, %v", check[name], made[name], err)
		}
	}
	if got, err := outcomes(t, append(more, "--check")...); err != nil || !all(got, provision.Fits) {
		t.Errorf("%+v, %v", got, err)
	}
	less, err := outcomes(t, at) // as by default
	if err != nil || less["CHAT"].Outcome != provision.Differs || len(less["CHAT"].Left) != 2 || less["SESSIONS"].Outcome != provision.Differs {
		t.Errorf("%+v, %v", less, err)
	}
}

func TestWhatCouldLoseEventsIsNotProvisionedOver(t *testing.T) {
	s := logtest.Start(t)
	js := s.Provision(logtest.Config())
	stream, err := js.Stream(t.Context(), eventlog.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	wrong := stream.CachedInfo().Config
	wrong.MaxAge = 3 * time.Hour
	if _, err := js.UpdateStream(t.Context(), wrong); err != nil {
		t.Fatal(err)
	}
	got, err := outcomes(t, "--nats.url="+s.URL())
	if err == nil || got["CHAT"].Outcome != provision.Unsafe || !strings.Contains(err.Error(), "max age is 3h0m0s, want 0s") || got["AUDIT"].Outcome != provision.Made {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestProvisionSaysWhichRightIsMissing(t *testing.T) {
	s := permissionstest.Start(t, permissions.Options{})
	_, err := call(t, "provision", "--wait=10s", "--nats.url="+s.URL(eventlog.Auditor))
	if err == nil || !strings.Contains(err.Error(), `does not grant what a provisioner needs: connect as the user "provisioner"`) || !strings.Contains(err.Error(), "_INBOX_pv") {
		t.Error(err)
	}
}

func TestProvisionWaitsForNothingThatAnOperatorHasToDo(t *testing.T) {
	s := logtest.Start(t)
	secured := permissionstest.Start(t, permissions.Options{})
	wrong, err := url.Parse(secured.URL(eventlog.Provisioner))
	if err != nil {
		t.Fatal(err)
	}
	wrong.User = url.UserPassword("provisioner", "wrong")
	for advice, args := range map[string][]string{
		"set nats.replicas to 1":  {"--nats.url=" + s.URL(), "--nats.replicas=3"},
		"does not know this user": {"--nats.url=" + wrong.String()},
	} {
		_, err := call(t, append(args, "provision", "--wait=1h")...)
		if err == nil || !strings.Contains(err.Error(), advice) || strings.Contains(err.Error(), "wrong@") {
			t.Errorf("%v, want %q", err, advice)
		}
	}
}

func TestProvisionRaisesReplicasAndKeepsWhatThereIs(t *testing.T) {
	at := "--nats.url=" + cluster(t)
	if got, err := outcomes(t, at); err != nil || !all(got, provision.Made) {
		t.Fatalf("%+v, %v", got, err)
	}
	js := connected(t, strings.TrimPrefix(at, "--nats.url="))
	last := logtest.Publish(t, js, logtest.Message(t, "general", "one"), logtest.Message(t, "general", "two"))
	store := session.Open(js, session.Config{})
	id, err := session.NewID()
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Create(t.Context(), id, session.User{ID: "ann"}); err != nil {
		t.Fatal(err)
	}
	got, err := outcomes(t, at, "--nats.replicas=3", "--wait=60s")
	if err != nil {
		t.Fatalf("%+v, %v", got, err)
	}
	state, err := eventlog.Open(js).State(t.Context())
	if err != nil || state.Replicas != 3 || state.AtomicBatch || state.Last != last {
		t.Errorf("%+v, %v", state, err)
	}
	if u, err := store.Find(t.Context(), id); err != nil || u.ID != "ann" {
		t.Errorf("%+v, %v", u, err)
	}
	if got, err := outcomes(t, at, "--nats.replicas=3", "--check"); err != nil || !all(got, provision.Fits) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := outcomes(t, at); err != nil || !strings.Contains(fmt.Sprint(got["CHAT"].Left), "replicas is 3, want 1") {
		t.Errorf("%+v, %v", got, err)
	}
}

// cluster is three servers, and returns where they listen.
func cluster(t *testing.T) (urls string) {
	t.Helper()
	var list []string
	for _, s := range logtest.Servers(t) {
		list = append(list, s.ClientURL())
	}
	return strings.Join(list, ",")
}

func connected(t *testing.T, url string) jetstream.JetStream {
	t.Helper()
	nc, js, err := eventlog.Connect(url, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return js
}
