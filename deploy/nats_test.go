package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/config"
)

const permissions = "nats/permissions.conf"

func TestPermissionsAreWhatTheCommandPrints(t *testing.T) {
	printed := output(t, repository, workspace(t), "go", "run", "./streams/cmd/streams", "permissions")
	if printed != read(t, permissions) {
		t.Errorf("%s is another: go run ./streams/cmd/streams permissions > deploy/%s", permissions, permissions)
	}
}

// TestNATSServersAcceptTheirConfiguration has a real nats-server read each configuration beside permissions.conf.
func TestNATSServersAcceptTheirConfiguration(t *testing.T) {
	cluster := []string{
		"SERVER_NAME=nats-1", "NATS_ROUTE_PASSWORD=proute",
		"NATS_ROUTES=[nats://route:proute@nats-2:6222, nats://route:proute@nats-3:6222]",
	}
	for path, env := range map[string][]string{
		"nats/nats-server.conf":    cluster,
		"systemd/nats-server.conf": {"STATE_DIRECTORY=/var/lib/nats"},
	} {
		t.Run(path, func(t *testing.T) {
			installed := install(t, path)
			env := append(append(workspace(t), env...), passwords(t)...)
			said, problems, err := run(t, repository, env, "go", "tool", "nats-server", "-t", "--config", installed)
			if err != nil || !strings.Contains(said+problems, "is valid") {
				t.Fatalf("it is refused: %v\n%s%s", err, said, problems)
			}
			if err := os.Remove(filepath.Join(filepath.Dir(installed), "permissions.conf")); err != nil {
				t.Fatal(err)
			}
			if _, _, err := run(t, repository, env, "go", "tool", "nats-server", "-t", "--config", installed); err == nil {
				t.Error("it is taken without anybody's rights")
			}
		})
	}
}

func TestNATSServersFsyncBeforeAnAck(t *testing.T) {
	always := regexp.MustCompile(`(?m)^\s*sync_interval: always$`)
	for _, path := range []string{"nats/nats-server.conf", "systemd/nats-server.conf"} {
		if !always.MatchString(read(t, path)) {
			t.Errorf("%s: sync_interval is not always", path)
		}
	}
}

// TestTheLogIsFullBeforeItsServerIs looks at each size of the log that is set, or suggested, too.
func TestTheLogIsFullBeforeItsServerIs(t *testing.T) {
	const rest = config.GiB // the notary's stream, sessions, revocations, presence
	log := config.Default().Stream.MaxBytes
	suggested := regexp.MustCompile(`STREAM_MAX_BYTES=(\w+)`)
	for _, path := range []string{"compose/.env.example", "systemd/tidemark.env"} {
		for _, match := range suggested.FindAllStringSubmatch(read(t, path), -1) {
			log = max(log, checkSettings(t, map[string]string{"TIDEMARK_STREAM_MAX_BYTES": match[1]}).Stream.MaxBytes)
		}
	}
	for path, names := range map[string][]string{ // each with room for the one before
		"nats/nats-server.conf":       {"max_file_store"},
		"systemd/nats-server.conf":    {"max_file_store"},
		"kubernetes/nats-values.yaml": {"maxSize", "pvc: { size"},
	} {
		least := log + rest
		for _, name := range names {
			match := regexp.MustCompile(regexp.QuoteMeta(name) + `: (\d+)Gi`).FindStringSubmatch(read(t, path))
			if match == nil {
				t.Errorf("%s: there is no %s", path, name)
				continue
			}
			size, err := strconv.Atoi(match[1])
			if err != nil || config.Size(size)*config.GiB < least {
				t.Errorf("%s: %s is %s GiB, less than %s", path, name, match[1], least)
			}
			least = config.Size(size)*config.GiB + 1
		}
	}
}

func TestEveryPasswordOfNATSIsGiven(t *testing.T) {
	for _, path := range []string{"compose/compose.yaml", "compose/.env.example", "systemd/nats-server.env", "kubernetes/nats-values.yaml"} {
		text := read(t, path)
		for _, pair := range passwords(t) {
			if name, _, _ := strings.Cut(pair, "="); !strings.Contains(text, name) {
				t.Errorf("%s: %s is missing", path, name)
			}
		}
	}
}

// install puts a configuration and the rights into one folder, as it is deployed.
func install(t *testing.T, path string) string {
	t.Helper()
	dir := t.TempDir()
	for _, source := range []string{path, permissions} {
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(source)), []byte(read(t, source)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, filepath.Base(path))
}

// passwords are the variables that permissions.conf refers to, with a value each.
func passwords(t *testing.T) []string {
	t.Helper()
	var env []string
	seen := map[string]bool{}
	for _, match := range regexp.MustCompile(`\$(NATS_[A-Z]+_PASSWORD)\b`).FindAllStringSubmatch(read(t, permissions), -1) {
		if name := match[1]; !seen[name] {
			seen[name] = true
			env = append(env, name+"=p"+strings.ToLower(name[len("NATS_"):len(name)-len("_PASSWORD")]))
		}
	}
	if len(env) < 4 {
		t.Errorf("only %d passwords in %s", len(env), permissions)
	}
	return env
}
