package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/config"
)

// outcome is what a caller of the binary sees.
type outcome struct {
	code           int
	stdout, stderr string
}

func call(s Service, args ...string) outcome {
	var stdout, stderr strings.Builder
	code := run(s, args, &stdout, &stderr, nil)
	return outcome{code, stdout.String(), stderr.String()}
}

// service returns from Run at once with what result gives.
func service(result func(cfg config.Config) error) Service {
	return Service{
		Name: "gateway", Short: "Serve Socket.IO", Long: "Serve Socket.IO at length.",
		Example:  "  gateway --gateway.listen :80",
		Sections: []string{"nats.url", "gateway"},
		Run: func(_ context.Context, cfg config.Config, log *slog.Logger) error {
			log.Info("started", "listen", cfg.Gateway.Listen)
			return result(cfg)
		},
	}
}

func fine(config.Config) error { return nil }

func TestExitCodes(t *testing.T) {
	refuse := func(cfg config.Config) error {
		return fmt.Errorf("open: %w", cfg.Invalid("nats.url", "it must not be empty"))
	}
	broken := func(config.Config) error { return errors.New("listen: port\nis taken") }
	found := func(config.Config) error {
		return fmt.Errorf("verify: %w", &Exit{Code: 7, Err: errors.New("two findings")})
	}
	canceled := func(config.Config) error { return context.Canceled }
	file := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(file, []byte("gateway: {lisen: x}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		result func(config.Config) error
		args   []string
		code   int
		stderr string // a part of the last line; empty: nothing but the log
	}{
		{"clean stop", fine, nil, 0, ""},
		{"failure", broken, nil, 1, "gateway: listen: port is taken"},
		{"failure with a code of its own", found, nil, 7, "gateway: verify: two findings"},
		{"canceled though nobody asked to stop", canceled, nil, 1, "gateway: context canceled"},
		{"setting that the service refuses", refuse, nil, 2, "gateway: open: setting nats.url (default): it must not be empty"},
		{"bad value", fine, []string{"--gateway.rateLimit=-1"}, 2, `gateway: setting gateway.rateLimit (flag --gateway.rate-limit): "-1"`},
		{"bad file", fine, []string{"--config", file}, 2, "gateway.lisen"},
		{"bad value for config", fine, []string{"config", "--gateway.listen=x"}, 2, "gateway.listen"},
		{"unknown flag", fine, []string{"--nope"}, 2, "unknown flag: --nope"},
		{"flag of another section", fine, []string{"--persister.listen=:1"}, 2, "unknown flag: --persister.listen"},
		{"flag without value", fine, []string{"--gateway.listen"}, 2, "flag needs an argument"},
		{"unknown command", fine, []string{"nope"}, 2, `unknown command "nope"`},
		{"too many arguments", fine, []string{"version", "x"}, 2, "x"},
		{"unknown format", fine, []string{"config", "--format=xml"}, 2, `--format "xml" is not allowed, it must be table or json`},
		{"help", broken, []string{"--help"}, 0, ""},
		{"version", broken, []string{"version"}, 0, ""},
		{"config", broken, []string{"config"}, 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := call(service(test.result), test.args...)
			lines := strings.Split(strings.TrimSpace(got.stderr), "\n")
			last := lines[len(lines)-1]
			if got.code != test.code || !strings.Contains(last, test.stderr) {
				t.Errorf("exit %d, stderr %q", got.code, got.stderr)
			}
			if test.stderr == "" && strings.Contains(got.stderr, "gateway:") {
				t.Errorf("stderr %q", got.stderr)
			}
			if test.code == usage && strings.Contains(got.stderr, "started") && test.name != "setting that the service refuses" {
				t.Error("it was started")
			}
		})
	}
}

func TestRunGetsTheSettings(t *testing.T) {
	var listen string
	got := call(service(func(cfg config.Config) error { listen = cfg.Gateway.Listen; return nil }), "--gateway.listen=:7", "--log.format=json")
	if got.code != 0 || listen != ":7" || !strings.Contains(got.stderr, `"msg":"started","listen":":7"`) {
		t.Errorf("%q, %+v", listen, got)
	}
}

func TestHelpShowsExamplesAndOnlyTheServicesFlags(t *testing.T) {
	got := call(service(fine), "--help")
	for _, want := range []string{"at length", "gateway --gateway.listen :80", "--gateway.rate-limit", "--nats.url", "--log.level", "--config", "(default 127.0.0.1:3000)", "version"} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("no %q in\n%s", want, got.stdout)
		}
	}
	if strings.Contains(got.stdout, "--persister") || strings.Contains(got.stdout, "--nats.listen") {
		t.Error(got.stdout)
	}
}

func TestConfigPrintsATable(t *testing.T) {
	t.Setenv("TIDEMARK_NATS_URL", "nats://u:hush@h:4222")
	got := call(service(fine), "config", "--gateway.rateLimit=off")
	lines := strings.Split(got.stdout, "\n")
	cells := func(key string) string {
		for _, line := range lines {
			if fields := strings.Fields(line); len(fields) > 0 && fields[0] == key {
				return strings.Join(fields, " ")
			}
		}
		return ""
	}
	for key, want := range map[string]string{
		"KEY":               "KEY VALUE DEFAULT SOURCE ENVIRONMENT MEANING",
		"nats.url":          "nats.url nats://u:***@h:4222 - env TIDEMARK_NATS_URL TIDEMARK_NATS_URL servers",
		"gateway.rateLimit": "gateway.rateLimit off 20 flag --gateway.rate-limit TIDEMARK_GATEWAY_RATE_LIMIT messages",
		"log.level":         "log.level info info default TIDEMARK_LOG_LEVEL least",
	} {
		if !strings.HasPrefix(cells(key), want) {
			t.Errorf("%q, want %q", cells(key), want)
		}
	}
	if strings.Contains(got.stdout, "hush") || cells("persister.listen") != "" {
		t.Error(got.stdout)
	}
}

func TestConfigPrintsJSON(t *testing.T) {
	t.Setenv("TIDEMARK_NATS_URL", "nats://u:hush@h:4222")
	got := call(service(fine), "config", "--format=json")
	var rows []config.Setting
	if err := json.Unmarshal([]byte(got.stdout), &rows); err != nil {
		t.Fatal(err)
	}
	first := rows[0]
	if first.Key != "nats.url" || first.Value != "nats://u:***@h:4222" || first.Env != "TIDEMARK_NATS_URL" || first.Meaning == "" {
		t.Errorf("%+v", first)
	}
}

func TestVersionNamesTheBinary(t *testing.T) {
	if got := call(service(fine), "version"); !strings.HasPrefix(got.stdout, "gateway "+Version()+" (go") {
		t.Errorf("%q", got.stdout)
	}
}

func TestExtraCommands(t *testing.T) {
	auditor := func() Service {
		return Service{
			Name: "auditor", Sections: []string{"nats"},
			Extra: []*cobra.Command{{
				Use: "verify", Args: cobra.ExactArgs(1),
				RunE: func(cmd *cobra.Command, args []string) error {
					cfg, _, err := Load(cmd)
					if err != nil {
						return err
					}
					fmt.Fprintln(cmd.OutOrStdout(), args[0], cfg.NATS.Replicas)
					if args[0] == "broken" {
						return errors.New("a gap")
					}
					return nil
				},
			}},
		}
	}
	for _, test := range []struct {
		args []string
		want outcome
	}{
		{[]string{"verify", "all", "--nats.replicas=3"}, outcome{0, "all 3\n", ""}},
		{[]string{"verify", "broken"}, outcome{1, "broken 1\n", "auditor: a gap\n"}},
		{[]string{"verify"}, outcome{2, "", "auditor: accepts 1 arg(s), received 0\n"}},
	} {
		if got := call(auditor(), test.args...); got != test.want {
			t.Errorf("%v: %+v, want %+v", test.args, got, test.want)
		}
	}
	if got := call(auditor()); got.code != 0 || !strings.Contains(got.stdout, "verify") {
		t.Errorf("without a command: %+v", got)
	}
}

func TestASignalStopsTheServiceInAnOrderlyWay(t *testing.T) {
	for name, result := range map[string]error{
		"returns nil": nil, "returns the context's error": fmt.Errorf("serve: %w", context.Canceled),
	} {
		t.Run(name, func(t *testing.T) {
			signals := make(chan os.Signal, 1)
			s := service(fine)
			s.Run = func(ctx context.Context, _ config.Config, _ *slog.Logger) error {
				signals <- syscall.SIGTERM
				<-ctx.Done()
				return result
			}
			var stdout, stderr strings.Builder
			if code := run(s, nil, &stdout, &stderr, signals); code != clean || stderr.Len() > 0 {
				t.Errorf("exit %d, %q", code, stderr.String())
			}
		})
	}
}

func TestAFailureWhileStoppingIsAFailure(t *testing.T) {
	signals := make(chan os.Signal, 1)
	s := service(fine)
	s.Run = func(ctx context.Context, _ config.Config, _ *slog.Logger) error {
		signals <- syscall.SIGINT
		<-ctx.Done()
		return errors.New("flush: disk full")
	}
	var stdout, stderr strings.Builder
	if code := run(s, nil, &stdout, &stderr, signals); code != failure || stderr.String() != "gateway: flush: disk full\n" {
		t.Errorf("exit %d, %q", code, stderr.String())
	}
}

func TestASecondSignalDoesNotWait(t *testing.T) {
	signals := make(chan os.Signal, 3)
	release, ended := make(chan struct{}), make(chan struct{})
	s := service(fine)
	s.Run = func(context.Context, config.Config, *slog.Logger) error {
		defer close(ended)
		signals <- syscall.SIGINT
		signals <- syscall.SIGINT // the same one, to the group
		signals <- syscall.SIGTERM
		<-release
		return nil
	}
	var stdout, stderr strings.Builder
	if code := run(s, nil, &stdout, &stderr, signals); code != failure || !strings.Contains(stderr.String(), "killed") {
		t.Errorf("exit %d, %q", code, stderr.String())
	}
	close(release)
	<-ended
}
