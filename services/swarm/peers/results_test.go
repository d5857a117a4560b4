package peers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// measured is results of one metric: rounds of each target.
func measured(scenario string, m Metric, rounds map[string][]float64) Results {
	r := Results{Plan: Full(), Rounds: 3, Began: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	for target, values := range rounds {
		for i, value := range values {
			r.Samples = append(r.Samples, Sample{i + 1, scenario, target, m, value})
		}
	}
	return r
}

func (r Results) verdict(t *testing.T, scenario string, m Metric) Verdict {
	t.Helper()
	for _, v := range r.Judge() {
		if v.Bar.Scenario == scenario && v.Bar.Metric == m {
			return v
		}
	}
	t.Fatalf("there is no bar for %s of %s", m, scenario)
	return Verdict{}
}

func TestABarIsJudgedByMediansAgainstTheBestPeer(t *testing.T) {
	for _, test := range []struct {
		name     string
		scenario string
		metric   Metric
		rounds   map[string][]float64
		measured bool
		met      bool
		theirs   string
		times    float64
	}{
		{"just met where less is better", "fanout-200", DeliveryCPU,
			map[string][]float64{"tidemark": {9, 2, 1}, "node": {10, 1, 30}, "redis": {11, 11, 11}}, true, true, "10.0 (node)", 5},
		{"just missed", "fanout-200", DeliveryCPU,
			map[string][]float64{"tidemark": {2.5, 2.5, 2.5}, "node": {10, 10, 10}}, true, false, "10.0 (node)", 4},
		{"the best peer is not the plain one", "connect", ConnectRate,
			map[string][]float64{"tidemark": {4000}, "node": {1000}, "redis": {2500}}, true, false, "2,500 (redis)", 1.6},
		{"more is better", "connect", ConnectRate,
			map[string][]float64{"tidemark": {4000}, "node": {1000}, "tutorial": {2000}}, true, true, "2,000 (tutorial)", 2},
		{"only the tutorial counts", "publish-8", AckRate,
			map[string][]float64{"tidemark": {1500}, "node": {9000}, "tutorial": {1000}}, true, true, "1,000 (tutorial)", 1.5},
		{"the tutorial was not measured", "publish-8", AckRate,
			map[string][]float64{"tidemark": {1500}, "node": {9000}}, false, false, "", 0},
		{"a limit is met", "memory", IdleRSS, map[string][]float64{"tidemark": {32768}}, true, true, "", 0},
		{"a limit is missed", "recovery", RecoveryAll, map[string][]float64{"tidemark": {900, 1001, 1100}}, true, false, "", 0},
		{"ours was not measured", "memory", IdleRSS, map[string][]float64{"node": {1}}, false, false, "", 0},
		{"a mean of two rounds", "paced-200", DeliveryP99,
			map[string][]float64{"tidemark": {1, 4}, "node": {2, 2}}, true, false, "2.00 (node)", 0.8},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := measured(test.scenario, test.metric, test.rounds).verdict(t, test.scenario, test.metric)
			if v.Measured != test.measured || v.Met != test.met || v.Theirs != test.theirs || v.Times != test.times {
				t.Errorf("%+v", v)
			}
		})
	}
}

func TestEachBarIsOfAScenarioAndAMetricOfTheFullPlan(t *testing.T) {
	kindOf := map[string]string{}
	for _, s := range Full().Scenarios() {
		kindOf[s.Name] = s.Kind
	}
	for _, b := range Bars() {
		found := false
		for _, row := range rows(kindOf[b.Scenario]) {
			found = found || row.metric == b.Metric
		}
		if !found {
			t.Errorf("%s: no %s in %q", b.Title, b.Metric, b.Scenario)
		}
	}
	for _, c := range charts {
		if len(rows(c.kind)) == 0 || rowOf(c.metric).scale == 0 {
			t.Errorf("chart %s is of nothing", c.file)
		}
	}
}

func TestResultsAreWrittenBetweenWhatPeopleWrote(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "benchmarks.md")
	if err := os.WriteFile(path, []byte("before\n"+resultsBegin+"\nold\n"+resultsEnd+"\nafter\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	r := measured("fanout-200", DeliveryCPU, map[string][]float64{"tidemark": {1, 2, 3}, "node": {4, 5, 6}})
	r.Failures = []string{"round 1, connect, redis: it fell\nover"}
	var first string
	for range 2 { // the second time over the first
		if err := r.Document(dir); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got := string(text)
		for _, want := range []string{
			"before\n" + resultsBegin, resultsEnd + "\nafter\n",
			"| full speed, 200 clients: CPU-s per million deliveries | 5 times the best peer | 2.00 | 5.00 (node) | 2.50 | **missed** |",
			"2.00 (1.00 to 3.00) | 5.00 (4.00 to 6.00) | | | 2.50 |",
			"](benchmarks/fanout-cpu.svg)", "- round 1, connect, redis: it fell over\n",
		} {
			if !strings.Contains(got, want) {
				t.Errorf("there is no %q in\n%s", want, got)
			}
		}
		if strings.Contains(got, "old") || first != "" && got != first {
			t.Errorf("it is not only the results of this run:\n%s", got)
		}
		first = got
	}
	if svg, err := os.ReadFile(filepath.Join(dir, "benchmarks", "fanout-cpu.svg")); err != nil || !strings.Contains(string(svg), "<svg") {
		t.Errorf("the chart is %.20q, %v", svg, err)
	}
}

func TestADocumentWithoutAPlaceForTheResultsIsLeftAsItIs(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "benchmarks.md")
	for _, text := range []string{"", resultsBegin, resultsEnd + resultsBegin} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := (Results{Plan: Full()}).Document(dir); err == nil {
			t.Errorf("%q was taken", text)
		}
		if now, err := os.ReadFile(path); err != nil || string(now) != text {
			t.Errorf("%q became %q, %v", text, now, err)
		}
	}
}

func TestANumberHasThreeDigitsThatCount(t *testing.T) {
	for value, want := range map[float64]string{
		0: "0.000", 0.12345: "0.123", 0.9996: "1.00", 1.234: "1.23", 9.996: "10.0", 12.34: "12.3", 99.96: "100",
		999.4: "999", 999.6: "1,000", 1234567: "1,234,567", -0.5: "-0.500", -12.34: "-12.3",
	} {
		if got := number(value); got != want {
			t.Errorf("%v is %s, not %s", value, got, want)
		}
	}
}

func TestAQuantileIsTheSmallestThatEnoughDoNotExceed(t *testing.T) {
	hundred := make([]int, 100)
	for i := range hundred {
		hundred[i] = i + 1
	}
	for _, test := range []struct {
		of   []int
		q    float64
		want int
	}{{hundred, 0.5, 50}, {hundred, 0.99, 99}, {hundred, 1, 100}, {hundred, 0, 1}, {hundred[:1], 0.99, 1}, {hundred[:3], 0.5, 2}, {hundred[:10], 0.99, 10}} {
		if got := quantile(test.of, test.q); got != test.want {
			t.Errorf("%v of %d is %d, not %d", test.q, len(test.of), got, test.want)
		}
	}
}

func TestOptionsNameWhatThereIs(t *testing.T) {
	for _, test := range []struct {
		only, kinds []string
		ok          bool
	}{
		{nil, nil, true},
		{[]string{"redis", "node"}, []string{"memory"}, true},
		{[]string{"nodes"}, nil, false},
		{nil, []string{"fanout-200"}, false},
	} {
		o := Options{Plan: Full(), Only: test.only, Kinds: test.kinds}
		if err := o.Check(); (err == nil) != test.ok {
			t.Errorf("%v, %v: %v", test.only, test.kinds, err)
		}
	}
}
