package peers

import (
	"bytes"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Each scenario runs with Tidemark as it is in the source and gives all numbers. The others are run by task bench:peers,
// which installs them.
func TestEverythingIsMeasuredOfTidemark(t *testing.T) {
	dir := t.TempDir()
	var progress bytes.Buffer
	r, err := Run(t.Context(), Options{
		Installed: Installed{Standalone: build(t, dir), Data: filepath.Join(dir, "data")},
		Plan:      Quick(), Rounds: 1, Only: []string{"tidemark"}, Progress: &progress,
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Failures) > 0 {
		t.Fatal(strings.Join(r.Failures, "\n"))
	}
	t.Log(progress.String())
	for _, s := range r.Plan.Scenarios() {
		for _, row := range rows(s.Kind) {
			if strings.HasSuffix(string(row.metric), "_of_redis") {
				continue
			}
			spread, measured := r.of(s.Name, "tidemark", row.metric)
			switch {
			case !measured || math.IsNaN(spread.Median) || math.IsInf(spread.Median, 0):
				t.Errorf("%s: %s is %v, measured: %v", s.Name, row.metric, spread.Median, measured)
			case strings.HasPrefix(string(row.metric), "go_"): // its parts come and go
			case spread.Median <= 0:
				t.Errorf("%s: %s is %v", s.Name, row.metric, spread.Median)
			}
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "data", "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// build builds Tidemark.
func build(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "standalone")
	build := exec.Command("go", "build", "-trimpath", "-o", path, "github.com/tidemark-chat/tidemark/services/standalone/cmd/standalone")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as it is shipped
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return path
}
