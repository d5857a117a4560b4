package standalone_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
)

// documentedMetric is a line of a table of docs/metrics.md: name, type, labels, unit, meaning.
var documentedMetric = regexp.MustCompile("(?m)^\\| `(tidemark_\\w+)` \\| (\\w+) \\| ([^|]*) \\| [^|]+ \\| ([^|]+) \\|$")

// TestThePageOfMetricsHasThoseThatAreShownAndNoOthers compares names, types,
// labels with their values, and meanings.
func TestThePageOfMetricsHasThoseThatAreShownAndNoOthers(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := make(map[string]string)
	for _, m := range documentedMetric.FindAllStringSubmatch(string(page), -1) {
		documented[m[1]] = strings.Join(m[2:], "; ")
	}
	s := newStandalone(t)
	s.start()
	gatewaytest.WaitReady(t, s.persister, true)
	shown := metricsAt(t, s.address)
	maps.Copy(shown, metricsAt(t, s.persister))
	for name, is := range shown {
		if documented[name] != is {
			t.Errorf("%s: the page has %q, it is %q", name, documented[name], is)
		}
	}
	for name := range documented {
		if shown[name] == "" {
			t.Errorf("%s: the page has it, and nobody shows it", name)
		}
	}
}

// metricsAt are Tidemark's own metrics at an address, each as the page is to describe it.
func metricsAt(t *testing.T, address string) map[string]string {
	t.Helper()
	resp, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	shown := make(map[string]string)
	for name, f := range families {
		if !strings.HasPrefix(name, "tidemark_") {
			continue // Go's and the process's
		}
		values := make(map[string][]string)
		for _, m := range f.Metric {
			for _, l := range m.Label {
				values[l.GetName()] = append(values[l.GetName()], l.GetValue())
			}
		}
		var labels []string
		for _, label := range slices.Sorted(maps.Keys(values)) {
			slices.Sort(values[label])
			labels = append(labels, fmt.Sprintf("`%s`: %s", label, strings.Join(slices.Compact(values[label]), ", ")))
		}
		shown[name] = strings.Join([]string{strings.ToLower(f.GetType().String()), strings.Join(labels, "; "), f.GetHelp()}, "; ")
	}
	return shown
}
