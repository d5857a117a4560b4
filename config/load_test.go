package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// TestMain forgets the developer's own settings.
func TestMain(m *testing.M) {
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, EnvPrefix) {
			_ = os.Unsetenv(name)
		}
	}
	os.Exit(m.Run())
}

// load is Load with a file, variables and flags. The file's name is settings.yaml unless its text begins like TOML or
// JSON; it is empty for none.
func load(t *testing.T, file string, env map[string]string, args ...string) (Config, error) {
	t.Helper()
	for name, value := range env {
		t.Setenv(name, value)
	}
	if file != "" {
		extension := ".yaml"
		switch file[0] {
		case '[':
			extension = ".toml"
		case '{':
			extension = ".json"
		}
		path := filepath.Join(t.TempDir(), "settings"+extension)
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", path)
	}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	Flags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return Load(flags)
}

func TestTheStrongestSourceWins(t *testing.T) {
	const key, file = "gateway.rateLimit", "gateway: {rateLimit: 1}"
	env := map[string]string{"TIDEMARK_GATEWAY_RATE_LIMIT": "2"}
	for _, test := range []struct {
		name   string
		file   string
		env    map[string]string
		args   []string
		want   Rate
		source string
	}{
		{"nothing", "", nil, nil, 20, "default"},
		{"file", file, nil, nil, 1, "file "},
		{"environment over file", file, env, nil, 2, "env TIDEMARK_GATEWAY_RATE_LIMIT"},
		{"flag over all", file, env, []string{"--gateway.rate-limit=3"}, 3, "flag --gateway.rate-limit"},
		{"flag in the key's spelling", "", nil, []string{"--gateway.rateLimit", "3"}, 3, "flag --gateway.rate-limit"},
		{"flag with the default's value", file, nil, []string{"--gateway.rate-limit=20"}, 20, "flag --gateway.rate-limit"},
		{"empty variable is none", file, map[string]string{"TIDEMARK_GATEWAY_RATE_LIMIT": ""}, nil, 1, "file "},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := load(t, test.file, test.env, test.args...)
			if err != nil {
				t.Fatal(err)
			}
			row := c.Settings(key)[0]
			if c.Gateway.RateLimit != test.want || !strings.HasPrefix(row.Source, test.source) || row.Default != "20" {
				t.Errorf("%v, row %+v", c.Gateway.RateLimit, row)
			}
		})
	}
}

func TestFilesOfAllFormatsAndTypes(t *testing.T) {
	for name, file := range map[string]string{
		"yaml": `
dataDir: /srv
stream:
  maxBytes: 10737418240
gateway:
  ratelimit: off   # keys are matched whatever their case
  allowGuests: false
  stallTimeout: 10s
  corsOrigins: [https://a.example, https://b.example]
persister: # nothing set
log: {}
`,
		"toml": "[stream]\nmaxBytes = 10737418240\n[gateway]\nrateLimit = \"off\"\nallowGuests = false\nstallTimeout = \"10s\"\n" +
			"corsOrigins = [\"https://a.example\", \"https://b.example\"]\n",
		"json": `{"stream": {"maxBytes": 10737418240}, "gateway": {"rateLimit": "off", "allowGuests": false,
			"stallTimeout": "10s", "corsOrigins": "https://a.example,https://b.example"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			c, err := load(t, file, nil)
			if err != nil {
				t.Fatal(err)
			}
			g := c.Gateway
			if c.Stream.MaxBytes != 10*GiB || !g.RateLimit.Off() || g.AllowGuests || short(g.StallTimeout) != "10s" ||
				!slices.Equal(g.CORSOrigins, []string{"https://a.example", "https://b.example"}) {
				t.Errorf("%+v", c)
			}
		})
	}
}

func TestABadSettingIsNamedWithItsSourceAndWhatIsAllowed(t *testing.T) {
	for _, test := range []struct {
		name string
		file string
		env  map[string]string
		args []string
		want []string
	}{
		{"unknown key", "gateway: {lisen: ':1'}", nil, nil, []string{"gateway.lisen", "settings.yaml", "gateway.listen"}},
		{"unknown section", "gatway: {listen: ':1'}", nil, nil, []string{"gatway.listen", "settings.yaml", "gateway.listen"}},
		{"unknown empty section", "gatway:", nil, nil, []string{"gatway", "settings.yaml"}},
		{"unknown in toml", "[nats]\nurls = 'x'", nil, nil, []string{"nats.urls", "settings.toml", "nats.url"}},
		{"value for a section", "gateway: 5", nil, nil, []string{"setting gateway (", "settings.yaml"}},
		{"section for a value", "gateway: {listen: {port: 1}}", nil, nil, []string{"gateway.listen.port", "settings.yaml"}},
		{"key without value", "gateway:\n  listen:\n", nil, nil, []string{"gateway.listen", "no value", "host:port"}},
		{"value in file", "persister: {batchSize: -1}", nil, nil, []string{"persister.batchSize", "settings.yaml", `"-1"`, "from 1 to"}},
		{"list for a number", "gateway: {catchUpWorkers: [1, 2]}", nil, nil, []string{"gateway.catchUpWorkers", `"1,2"`}},
		{"unknown variable", "", map[string]string{"TIDEMARK_GATEWAY_RATELIMIT": "1"}, nil, []string{"TIDEMARK_GATEWAY_RATELIMIT ", "environment", "TIDEMARK_GATEWAY_RATE_LIMIT"}},
		{"unknown empty variable", "", map[string]string{"TIDEMARK_X": ""}, nil, []string{"TIDEMARK_X ", "environment"}},
		{"value in variable", "", map[string]string{"TIDEMARK_STREAM_DEDUP_WINDOW": "0s"}, nil, []string{"stream.dedupWindow", "env TIDEMARK_STREAM_DEDUP_WINDOW", `"0s"`, "100ms to 24h"}},
		{"value in flag", "", nil, []string{"--gateway.listen=3000"}, []string{"gateway.listen", "flag --gateway.listen", `"3000"`, "host:port"}},
		{"empty flag", "", nil, []string{"--data-dir="}, []string{"dataDir", "flag --data-dir", "a path"}},
		{"several", "gateway: {x: 1, catchUpWorkers: 0}", map[string]string{"TIDEMARK_Y": "1"}, []string{"--log.level=loud"}, []string{"gateway.x", "gateway.catchUpWorkers", "TIDEMARK_Y", "log.level"}},
		{"no such file", "", nil, []string{"--config=/no/such.yaml"}, []string{"file /no/such.yaml", "no such file"}},
		{"other kind of file", "", nil, []string{"--config=tidemark.ini"}, []string{"file tidemark.ini", ".yaml"}},
		{"broken file", "gateway: [", nil, nil, []string{"settings.yaml", "yaml: "}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := load(t, test.file, test.env, test.args...)
			if !errors.As(err, new(*Error)) {
				t.Fatalf("error: %v", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not tell %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("%q is more than a line", err)
			}
		})
	}
}

func TestARefusedSecretIsNotRepeated(t *testing.T) {
	for _, name := range []string{"TIDEMARK_DATABASE_URL", "TIDEMARK_NATS_URL"} {
		_, err := load(t, "", map[string]string{name: "mysql://u:hush@h/d"})
		if err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), name) {
			t.Errorf("error: %v", err)
		}
	}
}

func TestWithoutFlagsOnlyTheEnvironmentCounts(t *testing.T) {
	t.Setenv("TIDEMARK_GATEWAY_LISTEN", ":9")
	c, err := Load(nil)
	if err != nil || c.Gateway.Listen != ":9" {
		t.Errorf("%q, %v", c.Gateway.Listen, err)
	}
}

func TestInvalidNamesWhereTheValueCameFrom(t *testing.T) {
	c, err := load(t, "", map[string]string{"TIDEMARK_NATS_URL": "nats://a"})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Invalid("nats.url", "it must be empty").Error(); got != "setting nats.url (env TIDEMARK_NATS_URL): it must be empty" {
		t.Error(got)
	}
}

func TestFlagsAreThoseOfTheSections(t *testing.T) {
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	Flags(flags, "persister", "nats.url")
	var names []string
	flags.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	want := []string{"config", "nats.url", "persister.batch-size", "persister.listen", "persister.pin-ttl"}
	if !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}

func TestASwitchNeedsNoValue(t *testing.T) {
	c, err := load(t, "gateway: {allowGuests: false}", nil, "--gateway.allow-guests")
	if err != nil || !c.Gateway.AllowGuests {
		t.Errorf("%v, %v", c.Gateway.AllowGuests, err)
	}
}

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"listen", "LISTEN", 0}, {"lisen", "listen", 1}, {"kitten", "sitting", 3}} {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("%q to %q: %d, want %d", test.a, test.b, got, test.want)
		}
	}
}

// TestAServiceNeedsNoFilesOfAnother though they share their settings: only who uses a file has to see it.
func TestAServiceNeedsNoFilesOfAnother(t *testing.T) {
	for _, key := range []string{"gateway.cert", "gateway.key", "auth.secret", "notary.key"} {
		env := EnvPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
		c, err := load(t, "", map[string]string{env: "/nowhere/to/be/seen"})
		if err != nil || c.Settings(key)[0].Value != "/nowhere/to/be/seen" {
			t.Errorf("%s: %v", key, err)
		}
	}
}
