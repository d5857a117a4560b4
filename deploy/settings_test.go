package deploy

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/config"
)

// settingName matches what Tidemark would take for one of its variables.
var settingName = regexp.MustCompile(`\b` + config.EnvPrefix + `[A-Z][A-Z0-9_]*[A-Z0-9]\b`)

// TestEveryVariableIsASetting also looks at the document beside: a service refuses to start with an unknown one.
func TestEveryVariableIsASetting(t *testing.T) {
	known := settings()
	found := 0
	for _, path := range append(files(t, "."), "../docs/deployment.md") {
		for _, name := range settingName.FindAllString(read(t, path), -1) {
			found++
			if !slices.Contains(known, name) {
				t.Errorf("%s: %s is no setting", path, name)
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d variables were found: are these the right files?", found)
	}
}

// layout are the settings by which streams, buckets and consumers are made: who makes them has those of who uses them.
var layout = []string{
	"TIDEMARK_NATS_REPLICAS", "TIDEMARK_STREAM_MAX_BYTES", "TIDEMARK_STREAM_DEDUP_WINDOW", "TIDEMARK_STREAM_REPUBLISH",
	"TIDEMARK_GATEWAY_SESSION_TTL", "TIDEMARK_GATEWAY_PRESENCE_LEASE", "TIDEMARK_PERSISTER_BATCH_SIZE", "TIDEMARK_PERSISTER_PIN_TTL",
}

func TestSettingsOfTheLayoutAreSettings(t *testing.T) {
	for _, name := range layout {
		if !slices.Contains(settings(), name) {
			t.Errorf("there is no %s", name)
		}
	}
}

// settings are the names of all variables that Tidemark knows.
func settings() []string {
	var names []string
	for _, s := range config.Default().Settings() {
		names = append(names, s.Env)
	}
	return names
}

// files are all files under root but Go's own.
func files(t *testing.T, root string) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !slices.Contains([]string{".go", ".mod", ".sum"}, filepath.Ext(path)) {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(content), "\r\n", "\n")
}

// checkSettings loads the configuration from these variables, as a service would. Files that are only there where it is
// deployed are taken for present.
func checkSettings(t *testing.T, env map[string]string) config.Config {
	t.Helper()
	present := filepath.Join(t.TempDir(), "present")
	if err := os.WriteFile(present, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range env {
		if !strings.HasPrefix(name, config.EnvPrefix) {
			continue
		}
		if strings.HasPrefix(value, "/") && name != "TIDEMARK_DATA_DIR" {
			value = present
		}
		t.Setenv(name, value)
	}
	cfg, err := config.Load(nil)
	if err != nil {
		t.Error(err)
	}
	return cfg
}
