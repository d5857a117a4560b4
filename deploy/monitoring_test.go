package deploy

import (
	"encoding/json"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"sigs.k8s.io/yaml"
)

// scraped is what prometheus.yml says.
type scraped struct {
	RuleFiles     []string `json:"rule_files"`
	ScrapeConfigs []struct {
		JobName string `json:"job_name"`
	} `json:"scrape_configs"`
}

func jobs(t *testing.T) (names []string) {
	t.Helper()
	var config scraped
	if err := yaml.Unmarshal([]byte(read(t, "monitoring/prometheus.yml")), &config); err != nil {
		t.Fatal(err)
	}
	for _, s := range config.ScrapeConfigs {
		names = append(names, s.JobName)
	}
	if !slices.Equal(config.RuleFiles, []string{"alerts.yml"}) || len(names) == 0 {
		t.Errorf("%+v", config)
	}
	return names
}

// documented are the metrics of docs/metrics.md, under the names of their series, and the text about their labels.
func documented(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{"up": ""}
	row := regexp.MustCompile("(?m)^\\| `(tidemark_\\w+)` \\| (\\w+) \\| ([^|]*) \\|")
	for _, m := range row.FindAllStringSubmatch(read(t, "../docs/metrics.md"), -1) {
		found[m[1]] = m[3]
		if m[2] == "histogram" {
			delete(found, m[1])
			for _, series := range []string{"_bucket", "_sum", "_count"} {
				found[m[1]+series] = "`le`"
			}
		}
	}
	return found
}

// check parses an expression and looks whether there are the series and labels that it is of.
func check(t *testing.T, where, expression string) {
	t.Helper()
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(expression)
	if err != nil {
		t.Errorf("%s: %v", where, err)
		return
	}
	known, scrape := documented(t), jobs(t)
	about := "`job` `instance`"
	for _, selector := range parser.ExtractSelectors(expr) {
		name := ""
		for _, m := range selector {
			if m.Name == labels.MetricName {
				name = m.Value
			}
		}
		text, ok := known[name]
		if !ok {
			t.Errorf("%s: there is no series %q", where, name)
		}
		about += text
		for _, m := range selector {
			if m.Name == "job" && !slices.ContainsFunc(scrape, m.Matches) {
				t.Errorf("%s: no job of prometheus.yml matches %s", where, m)
			}
			if m.Name != labels.MetricName && m.Name != "job" && !strings.Contains(text, "`"+m.Name+"`") {
				t.Errorf("%s: %s has no label %s", where, name, m.Name)
			}
		}
	}
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if a, ok := node.(*parser.AggregateExpr); ok {
			for _, label := range a.Grouping {
				if !strings.Contains(about, "`"+label+"`") {
					t.Errorf("%s: nothing in it has the label %s", where, label)
				}
			}
		}
		return nil
	})
}

// heading is a heading of Markdown; anchor is what a link to it says.
var heading = regexp.MustCompile(`(?m)^#+ (.+)$`)

func anchors(t *testing.T, page string) (all []string) {
	t.Helper()
	for _, m := range heading.FindAllStringSubmatch(read(t, "../"+page), -1) {
		all = append(all, strings.ReplaceAll(regexp.MustCompile(`[^\w\- ]`).ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return all
}

func TestAlertsParseAreOfMetricsThatThereAreAndSayWhatToDo(t *testing.T) {
	groups, errs := rulefmt.Parse([]byte(read(t, "monitoring/alerts.yml")), false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	rules := 0
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			rules++
			check(t, r.Alert, r.Expr)
			page, anchor, _ := strings.Cut(r.Annotations["runbook"], "#")
			if page != "docs/operations.md" || !slices.Contains(anchors(t, page), anchor) {
				t.Errorf("%s: %q is no heading of docs/operations.md", r.Alert, r.Annotations["runbook"])
			}
			if severity := r.Labels["severity"]; severity != "critical" && severity != "warning" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
				t.Errorf("%s: severity %q, or no summary or description", r.Alert, severity)
			}
		}
	}
	if rules < 10 {
		t.Errorf("only %d rules", rules)
	}
}

func TestTheDashboardIsOfMetricsThatThereAre(t *testing.T) {
	var dashboard struct {
		Panels []struct {
			Title, Type string
			ID          int
			GridPos     struct{ H, W, X, Y int }
			Targets     []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "monitoring/dashboard.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	// As Grafana fills them in.
	variables := strings.NewReplacer("$__rate_interval", "1m")
	taken, queries := map[[2]int]string{}, 0
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			queries++
			check(t, p.Title, variables.Replace(target.Expr))
		}
		if (p.Type == "row") != (len(p.Targets) == 0) {
			t.Errorf("%s: a %s with %d queries", p.Title, p.Type, len(p.Targets))
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Errorf("%s lies over %q, or beyond the page", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
	if queries < 20 {
		t.Errorf("only %d queries", queries)
	}
}
