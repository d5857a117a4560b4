package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/tidemark-chat/tidemark/services/swarm/measure"
	"github.com/tidemark-chat/tidemark/services/swarm/report/internal/words"
)

// What the page shows of what may be long. All of it is in the JSON.
const (
	pageFindings = 200
	pageTimeline = 200
	pageFaults   = 500
)

//go:embed page.gohtml
var pageSource string

// text is what a template is given of others' words: words.Printable. The template escapes it.
var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"text": words.Printable, "count": words.Count, "rate": words.Rate, "millis": words.Millis, "clock": clockTenths, "many": many,
	"accused": func(line string) bool { return strings.HasPrefix(line, ">") },
}).Parse(pageSource))

// page is what the template is given.
type page struct {
	*Report
	Headline  string
	Totals    []total
	Kinds     []kind
	Figures   figures
	Spans     []span
	MoreSpans int
	Shown     []Finding
	More      int // findings that are not shown
}

// WriteHTML writes a page that needs nothing but itself.
func (r *Report) WriteHTML(w io.Writer) error {
	spans := r.faultSpans()
	drawn, err := drawFigures(r.charts(), r.Series, spans, r.end())
	if err != nil {
		return fmt.Errorf("write report as HTML: %w", err)
	}
	p := page{Report: r, Headline: r.headline(), Totals: r.totals(), Kinds: r.kinds(), Figures: drawn}
	p.Spans = spans[:min(len(spans), pageFaults)]
	p.MoreSpans = len(spans) - len(p.Spans)
	p.Shown = r.Findings[:min(len(r.Findings), pageFindings)]
	p.More = r.found() - len(p.Shown)
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return fmt.Errorf("write report as HTML: %w", err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write report as HTML: %w", err)
	}
	return nil
}

// Told is the lines of a finding that the page shows.
func (f Finding) Told() []string { return f.Timeline[:min(len(f.Timeline), pageTimeline)] }

// Untold is how many it does not.
func (f Finding) Untold() int { return len(f.Timeline) - len(f.Told()) }

// Where is its place in words.
func (f Finding) Where() string { return f.where() }

// Lasted is how long the fault was, in words; empty for a moment.
func (s span) Lasted() string {
	if s.To <= s.From {
		return ""
	}
	return words.Millis((s.To - s.From) * 1000)
}

// clockTenths is a time in the run, to a tenth of a second: "01:05.3".
func clockTenths(seconds float64) string {
	tenths := int64(seconds*10 + 0.5)
	return fmt.Sprintf("%s.%d", words.Clock(float64(tenths/10)), tenths%10)
}

// charts are those for which there is something to show.
func (r *Report) charts() []chart {
	if len(r.Series) == 0 {
		return nil
	}
	rate := func(name string, tone tone, of func(measure.Counts) int64) line {
		return line{name, tone, func(p measure.Point) (float64, bool) { return p.PerSecond(of(p.Counts)), true }}
	}
	t := r.Totals
	charts := []chart{{Title: "Clients connected", Lines: []line{
		{"connected", tone1, func(p measure.Point) (float64, bool) { return float64(p.Connected), true }},
	}}}
	if t.Cuts+t.Refused > 0 {
		charts = append(charts, chart{Title: "Connections per second", Lines: []line{
			rate("opened", tone1, func(c measure.Counts) int64 { return c.Connects }),
			rate("cut", tone2, func(c measure.Counts) int64 { return c.Cuts }),
			rate("refused", tone3, func(c measure.Counts) int64 { return c.Refused }),
		}})
	}
	if t.Sent > 0 {
		charts = append(charts, chart{Title: "Messages sent per second", Lines: []line{
			rate("sent", tone1, func(c measure.Counts) int64 { return c.Sent }),
			rate("acked", tone3, func(c measure.Counts) int64 { return c.Acked }),
			rate("rejected or unanswered", tone2, func(c measure.Counts) int64 { return c.Rejected + c.Unanswered }),
		}})
	}
	if t.Received > 0 {
		charts = append(charts, chart{Title: "Messages received per second, by all clients", Lines: []line{
			rate("received", tone1, func(c measure.Counts) int64 { return c.Received }),
		}})
	}
	charts = append(charts, r.latencyCharts()...)
	return append(charts, r.gaugeCharts()...)
}

func (r *Report) latencyCharts() (charts []chart) {
	for _, c := range []struct {
		title string
		of    func(measure.Point) measure.Latency
		count int64
	}{
		{"Latency of acks", func(p measure.Point) measure.Latency { return p.Latencies.Ack }, r.Latencies.Ack.Count},
		{"Latency of delivery, from send to receipt", func(p measure.Point) measure.Latency { return p.Latencies.Delivery }, r.Latencies.Delivery.Count},
		{"Time to connect", func(p measure.Point) measure.Latency { return p.Latencies.Connect }, r.Latencies.Connect.Count},
		{"Time to recover", func(p measure.Point) measure.Latency { return p.Latencies.Recovery }, r.Latencies.Recovery.Count},
	} {
		if c.count == 0 {
			continue
		}
		quantile := func(name string, tone tone, of func(measure.Latency) float64) line {
			return line{name, tone, func(p measure.Point) (float64, bool) { l := c.of(p); return of(l), l.Count > 0 }}
		}
		charts = append(charts, chart{Title: c.title, power: true, Lines: []line{
			quantile("max", toneMuted, func(l measure.Latency) float64 { return l.MaxMs }),
			quantile("p99", tone2, func(l measure.Latency) float64 { return l.P99Ms }),
			quantile("p50", tone1, func(l measure.Latency) float64 { return l.P50Ms }),
		}})
	}
	return charts
}

// gaugeCharts are one for each extra series.
func (r *Report) gaugeCharts() (charts []chart) {
	names := make(map[string]bool)
	for _, p := range r.Series {
		for name := range p.Gauges {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		charts = append(charts, chart{Title: words.Printable(name), Lines: []line{
			{words.Printable(name), tone1, func(p measure.Point) (float64, bool) { v, ok := p.Gauges[name]; return v, ok }},
		}})
	}
	return charts
}
