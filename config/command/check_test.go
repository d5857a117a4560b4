package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidemark-chat/tidemark/config"
)

func checking(checks ...Check) Service {
	s := service(fine)
	s.Checks = func(cfg config.Config) ([]Check, error) {
		if cfg.Gateway.Cert == "" && cfg.Gateway.Listen == ":1" {
			return nil, cfg.Invalid("gateway.cert", "it is needed")
		}
		return checks, nil
	}
	return s
}

func finding(name, needs, found string, err error) Check {
	return Check{Name: name, Needs: needs, Run: func(context.Context) (string, error) { return found, err }}
}

func TestCheckSaysWhatIsAndWhatIsNotAsItShouldBe(t *testing.T) {
	checks := []Check{
		finding("gateway.listen", "", ":9 is free", nil),
		finding("nats.url", "", "", errors.New("no server\nanswers")),
		finding("stream CHAT", "nats.url", "is there", nil),
		finding("bucket", "stream CHAT", "is there", nil),
		finding("gateway.cert", "gateway.listen", "", fmt.Errorf("look: %w", Warning("ends in %d days", 3))),
		finding("key", "gateway.cert", "is its own", nil),
	}
	got := call(checking(checks...), "check")
	var lines []string
	for line := range strings.Lines(got.stdout) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	want := "ok gateway.listen :9 is free\n" +
		"FAILED nats.url no server answers\n" +
		"skipped stream CHAT needs nats.url\n" +
		"skipped bucket needs stream CHAT\n" +
		"warning gateway.cert look: ends in 3 days\n" +
		"ok key is its own"
	if text := strings.Join(lines, "\n"); got.code != failure || text != want || got.stderr != "gateway: 1 of 6 checks failed\n" {
		t.Errorf("exit %d, %q\n%s", got.code, got.stderr, text)
	}

	got = call(checking(checks...), "check", "--format=json")
	var rows []checked
	if err := json.Unmarshal([]byte(got.stdout), &rows); err != nil || got.code != failure || len(rows) != 6 ||
		rows[1] != (checked{"nats.url", "FAILED", "no server answers"}) {
		t.Errorf("%v, exit %d: %s", err, got.code, got.stdout)
	}
}

func TestExitCodesOfCheck(t *testing.T) {
	for _, test := range []struct {
		name string
		s    Service
		args []string
		code int
	}{
		{"all is well", checking(finding("a", "", "", nil), finding("b", "", "", Warning("soon"))), nil, clean},
		{"something failed", checking(finding("a", "", "", errors.New("x"))), nil, failure},
		{"bad value", checking(), []string{"--gateway.listen=x"}, usage},
		{"settings that the service refuses", checking(), []string{"--gateway.listen=:1"}, usage},
		{"unknown format", checking(), []string{"--format=xml"}, usage},
		{"no time", checking(), []string{"--timeout=0s"}, usage},
		{"a service without checks", service(fine), nil, usage},
	} {
		if got := call(test.s, append([]string{"check"}, test.args...)...); got.code != test.code {
			t.Errorf("%s: %+v", test.name, got)
		}
	}
}

func TestACheckThatHangsDoesNotHoldUpTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		release := make(chan struct{})
		defer close(release)
		began := time.Now()
		got := runChecks(ctx, []Check{
			{Name: "deaf", Run: func(context.Context) (string, error) { <-release; return "", nil }},
			{Name: "polite", Run: func(ctx context.Context) (string, error) { <-ctx.Done(); return "", errors.New("nobody there") }},
			finding("quick", "", "here", nil),
			finding("behind", "deaf", "here", nil),
		})
		want := []string{"deaf FAILED no answer in time (--timeout)", "polite FAILED nobody there", "quick ok here", "behind skipped needs deaf"}
		for i, c := range got {
			if line := c.Name + " " + c.Status + " " + c.Text; line != want[i] {
				t.Errorf("%q, want %q", line, want[i])
			}
		}
		if took := time.Since(began); took != time.Minute+grace {
			t.Errorf("it took %v", took)
		}
	})
}

func TestCheckDoesNotRunTheService(t *testing.T) {
	s := checking()
	s.Run = func(context.Context, config.Config, *slog.Logger) error { return errors.New("it ran") }
	if got := call(s, "check"); got.code != clean {
		t.Errorf("%+v", got)
	}
}
