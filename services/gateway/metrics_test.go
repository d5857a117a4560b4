package gateway

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const metricsPage = "../../docs/metrics.md"

// row is a line of the table of metrics: name, type, labels, unit, meaning.
var row = regexp.MustCompile("(?m)^\\| `(tidemark_\\w+)` \\| (\\w+) \\| ([^|]*) \\| ([^|]+) \\| ([^|]+) \\|$")

// documented are the metrics that the page names and whose names have one of the
// prefixes, as described by type, labels and meaning.
func documented(t *testing.T, prefixes ...string) map[string]string {
	t.Helper()
	page, err := os.ReadFile(metricsPage)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]string)
	for _, m := range row.FindAllStringSubmatch(string(page), -1) {
		if slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(m[1], p) }) {
			found[m[1]] = m[2] + "; " + m[3] + "; " + m[5]
		}
	}
	return found
}

func TestThePageOfMetricsHasThoseOfTheGatewayAndNoOthers(t *testing.T) {
	families, err := newMetrics(&Gateway{}).registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	page := documented(t, "tidemark_gateway_", "tidemark_delivery_")
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "tidemark_") {
			continue // Go's and the process's
		}
		values := make(map[string]map[string]bool)
		for _, m := range f.Metric {
			for _, l := range m.Label {
				if values[l.GetName()] == nil {
					values[l.GetName()] = make(map[string]bool)
				}
				values[l.GetName()][l.GetValue()] = true
			}
		}
		var labels []string
		for _, name := range slices.Sorted(maps.Keys(values)) {
			labels = append(labels, fmt.Sprintf("`%s`: %s", name, strings.Join(slices.Sorted(maps.Keys(values[name])), ", ")))
		}
		want := strings.ToLower(f.GetType().String()) + "; " + strings.Join(labels, "; ") + "; " + f.GetHelp()
		if page[f.GetName()] != want {
			t.Errorf("%s: %s has %q, it is %q", f.GetName(), metricsPage, page[f.GetName()], want)
		}
		delete(page, f.GetName())
	}
	for name := range page {
		t.Errorf("%s: it is in %s, and no metric", name, metricsPage)
	}
}
