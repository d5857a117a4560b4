package peers

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Where the results stand in docs/benchmarks.md. What is before and after is written by people.
const (
	resultsBegin = "<!-- The results: written by task bench:peers, not by hand. -->"
	resultsEnd   = "<!-- End of the results. -->"
)

// Document writes the results into benchmarks.md in a directory, and the charts into benchmarks/ beside it.
func (r Results) Document(dir string) error {
	path := filepath.Join(dir, "benchmarks.md")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, began := bytes.Cut(text, []byte(resultsBegin))
	_, after, ended := bytes.Cut(rest, []byte(resultsEnd))
	if !began || !ended {
		return fmt.Errorf("%s has no place for the results: %q and %q", path, resultsBegin, resultsEnd)
	}
	charts, err := r.draw(filepath.Join(dir, "benchmarks"))
	if err != nil {
		return err
	}
	var out bytes.Buffer
	out.Write(before)
	fmt.Fprintf(&out, "%s\n\n%s\n%s", resultsBegin, r.Markdown(charts), resultsEnd)
	out.Write(after)
	return os.WriteFile(path, out.Bytes(), 0o644)
}

// Markdown is the results for people: the machine, the bars, and a table for each scenario below its chart.
func (r Results) Markdown(charts map[string][]string) string {
	var b strings.Builder
	b.WriteString(r.circumstances())
	b.WriteString("\n## The bars\n\n" + r.bars())
	for _, kind := range kinds {
		for _, chart := range charts[kind] {
			fmt.Fprintf(&b, "\n![%s](benchmarks/%s)\n", strings.TrimSuffix(chart, ".svg"), chart)
		}
		for _, s := range r.Plan.Scenarios() {
			if table := r.table(s); s.Kind == kind && table != "" {
				fmt.Fprintf(&b, "\n### %s\n\n%s", s.Title, table)
			}
		}
	}
	if len(r.Failures) > 0 {
		b.WriteString("\n### Measurements that failed\n\n")
		for _, failure := range r.Failures {
			fmt.Fprintf(&b, "- %s\n", strings.ReplaceAll(failure, "\n", " "))
		}
	}
	return b.String()
}

// circumstances are when and where.
func (r Results) circumstances() string {
	m := r.Machine
	var versions []string
	for _, name := range slices.Sorted(maps.Keys(m.Versions)) {
		versions = append(versions, name+" "+m.Versions[name])
	}
	return fmt.Sprintf(`Measured on %s in %.0f minutes, rounds: %d. The machine: %s, cores: %d, memory: %.0f GB, Linux %s (%s);
4 KB are written and on its disk after %s ms. Versions: %s.

Each figure is the median of the rounds, with the least and the greatest in brackets.
`, r.Began.Format("2 January 2006"), r.Took/60, r.Rounds, m.CPU, m.CPUs, float64(m.Memory)/(1<<30), m.Kernel, m.Platform,
		number(m.Fsync), strings.Join(versions, ", "))
}

// bars is the table of what was asked and what was measured.
func (r Results) bars() string {
	var b strings.Builder
	b.WriteString("| | asked | Tidemark | peer | times better | |\n|---|---|---|---|---|---|\n")
	for _, v := range r.Judge() {
		times, verdict := "", "not measured"
		if v.Theirs != "" {
			times = number(v.Times)
		}
		switch {
		case v.Met:
			verdict = "met"
		case v.Measured:
			verdict = "**missed**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", v.Bar.Title, v.Asked, v.Ours, v.Theirs, times, verdict)
	}
	return b.String()
}

// table is one scenario with all that was measured of it; empty: nothing was.
func (r Results) table(s Scenario) string {
	var b strings.Builder
	head, line := "|", "|---|"
	for _, t := range Targets() {
		head += " | " + t.Title
		line += "---|"
	}
	fmt.Fprintf(&b, "%s | times better than the best |\n%s---|\n", head, line)
	empty := true
	for _, row := range rows(s.Kind) {
		if cells, measured := r.cells(s, row); measured {
			empty = false
			fmt.Fprintf(&b, "| %s |%s\n", row.title, cells)
		}
	}
	if empty {
		return ""
	}
	return b.String()
}

// cells are the row of a metric behind its title.
func (r Results) cells(s Scenario, row row) (cells string, measured bool) {
	for _, t := range Targets() {
		spread, is := r.of(s.Name, t.Name, row.metric)
		if !is {
			cells += " |"
			continue
		}
		measured = true
		cells += " " + row.format(spread.Median)
		if spread.Rounds > 1 {
			cells += fmt.Sprintf(" (%s to %s)", row.format(spread.Min), row.format(spread.Max))
		}
		cells += " |"
	}
	us, we := r.of(s.Name, ours, row.metric)
	if _, best, they := r.best(s.Name, row); we && they && !row.given(s.Kind) {
		cells += " " + number(row.times(us.Median, best.Median))
	}
	return cells + " |", measured
}
