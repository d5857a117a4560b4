package peers

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/tidemark-chat/tidemark/services/swarm/report"
)

// chart is one metric of the scenarios of a kind.
type chart struct {
	kind   string
	metric Metric
	file   string
	title  string
	unit   string
}

var charts = []chart{
	{"fanout", DeliveryCPU, "fanout-cpu.svg", "Fan-out at full speed: processor time of the server", "CPU-seconds per million deliveries"},
	{"fanout", DeliveryP99, "fanout-p99.svg", "Fan-out at full speed: 99 of 100 deliveries came within", "ms"},
	{"paced", DeliveryCPU, "paced-cpu.svg", "Fan-out at a fixed rate: processor time of the server", "CPU-seconds per million deliveries"},
	{"paced", DeliveryP99, "paced-p99.svg", "Fan-out at a fixed rate: 99 of 100 deliveries came within", "ms"},
	{"publish", AckRate, "publish.svg", "Publish: messages acked", "per second"},
	{"connect", ConnectRate, "connect.svg", "Connects", "per second"},
	{"memory", IdleRSS, "memory.svg", "Memory of an idle connection", "KB"},
	{"recovery", RecoveryAll, "recovery.svg", "All who came back had what they missed after", "ms"},
}

// draw writes the charts of what was measured, and gives their names by kinds.
func (r Results) draw(dir string) (files map[string][]string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	files = map[string][]string{}
	for _, c := range charts {
		groups := r.groups(c)
		if len(groups) == 0 {
			continue
		}
		svg, err := report.Bars(c.title, c.unit, groups)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, c.file), svg, 0o644); err != nil {
			return nil, fmt.Errorf("write a chart: %w", err)
		}
		files[c.kind] = append(files[c.kind], c.file)
	}
	return files, nil
}

// groups are the scenarios of a chart with what was measured.
func (r Results) groups(c chart) (groups []report.Group) {
	scale := rowOf(c.metric).scale
	for _, s := range r.Plan.Scenarios() {
		if s.Kind != c.kind {
			continue
		}
		g := report.Group{Name: s.Short}
		for _, t := range Targets() {
			if spread, is := r.of(s.Name, t.Name, c.metric); is {
				g.Bars = append(g.Bars, report.Bar{
					Name: t.Title, Median: spread.Median * scale, Min: spread.Min * scale, Max: spread.Max * scale,
				})
			}
		}
		if len(g.Bars) > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}
