package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	sessions "github.com/tidemark-chat/tidemark/streams/session"
)

// call runs the command as the binary does.
func call(args ...string) (stdout string, err error) {
	root := &cobra.Command{Use: "gateway", SilenceErrors: true, SilenceUsage: true}
	config.Flags(root.PersistentFlags())
	root.SetGlobalNormalizationFunc(root.PersistentFlags().GetNormalizeFunc())
	root.AddCommand(revokeCommand())
	var out strings.Builder
	root.SetOut(&out)
	root.SetArgs(append([]string{"revoke"}, args...))
	err = root.Execute()
	return out.String(), err
}

func TestWhoeverIsRevokedByTheCommandIsCut(t *testing.T) {
	server := logtest.Start(t)
	g := gatewaytest.Start(t, gatewaytest.Config(server.URL()))
	at := "--nats.url=" + server.URL()
	for _, c := range []struct {
		what string
		args func(p *gatewaytest.Peer) []string
	}{
		{"the user", func(p *gatewaytest.Peer) []string { return []string{"--user", p.UserID, "--reason", "spam <3"} }},
		{"the session", func(p *gatewaytest.Peer) []string { return []string{"--session", p.SessionID} }},
		{"the session's hash", func(p *gatewaytest.Peer) []string { return []string{"--session", sessions.Hash(p.SessionID)} }},
	} {
		zoe := gatewaytest.Join(t, g.Address, gatewaytest.Auth{"username": "zoe"})
		out, err := call(append(c.args(zoe), at, "--format=json")...)
		var d done
		if err != nil || json.Unmarshal([]byte(out), &d) != nil || d.User != zoe.UserID || (d.Found != nil) != (d.Session != "") || d.Found != nil && !*d.Found || time.Since(d.At).Abs() > time.Minute {
			t.Fatalf("%s: %q, %v", c.what, out, err)
		}
		if strings.Contains(out, zoe.SessionID) {
			t.Errorf("%s: the id is shown: %s", c.what, out)
		}
		select {
		case <-zoe.Done():
		case <-time.After(gatewaytest.Timeout):
			t.Fatalf("%s: still connected", c.what)
		}
		for _, again := range []string{"is revoked as of", "is lifted", "was not revoked"} {
			args := append(c.args(zoe)[:2], at)
			if again != "is revoked as of" {
				args = append(args, "--lift")
			}
			if out, err := call(args...); err != nil || !strings.Contains(out, again) {
				t.Errorf("%s: %q, %v, want %q", c.what, out, err, again)
			}
		}
	}
}

// TestARevokedSessionIsCutThoughNobodyKnowsWhose has the session removed by somebody whose
// revocation this gateway has missed, or expire.
func TestARevokedSessionIsCutThoughNobodyKnowsWhose(t *testing.T) {
	server := logtest.Start(t)
	g := gatewaytest.Start(t, gatewaytest.Config(server.URL()))
	zoe, guest := gatewaytest.Join(t, g.Address, gatewaytest.Auth{"username": "zoe"}), gatewaytest.Connect(t, g.Address, nil)
	other := gatewaytest.Join(t, g.Address, gatewaytest.Auth{"username": "zoe"})
	if err := sessions.Open(server.Connect(), sessions.Config{}).Remove(t.Context(), sessions.Hash(zoe.SessionID)); err != nil {
		t.Fatal(err)
	}
	out, err := call("--session", zoe.SessionID, "--nats.url="+server.URL())
	if err != nil || !strings.Contains(out, "is cut") {
		t.Errorf("%q, %v", out, err)
	}
	select {
	case <-zoe.Done():
	case <-time.After(gatewaytest.Timeout):
		t.Fatal("still connected")
	}
	for who, done := range map[string]<-chan struct{}{"another user": other.Done(), "a guest": guest.Done()} {
		select {
		case <-done:
			t.Error("cut as well: " + who)
		default:
		}
	}
}

func TestAWrongOrderIsNotCarriedOut(t *testing.T) {
	for _, args := range [][]string{
		{}, {"--user="}, {"--user=a", "--session=b"}, {"--session=b"}, {"--session=" + strings.Repeat("A", 32)}, {"--user=a", "x"},
		{"--user=a", "--lift", "--reason=x"}, {"--user=a", "--format=xml"}, {"--user=a", "--timeout=0s"}, {"--user=a", "--reason=" + strings.Repeat("é", 201)},
		{"--user=a"}, // nats.url is not set
	} {
		if out, err := call(args...); err == nil || out != "" {
			t.Errorf("%q: %q, %v", args, out, err)
		}
	}
}

func TestWhetherThereIsSuchAUserIsNotClaimed(t *testing.T) {
	server := logtest.Start(t)
	gatewaytest.Start(t, gatewaytest.Config(server.URL()))
	text, err := call("--user=nobody", "--nats.url="+server.URL())
	if err != nil || !strings.Contains(text, "whether there is such a user is not looked at") {
		t.Errorf("%q, %v", text, err)
	}
	if out, err := call("--user=nobody", "--nats.url="+server.URL(), "--format=json"); err != nil || strings.Contains(out, "found") {
		t.Errorf("%q, %v", out, err)
	}
}

func TestWithoutTheBucketItSaysSo(t *testing.T) {
	server := logtest.Start(t)
	if out, err := call("--nats.url="+server.URL(), "--user=a"); err == nil || out != "" || !strings.Contains(err.Error(), "provision") {
		t.Errorf("%q, %v", out, err)
	}
}
