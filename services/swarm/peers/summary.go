package peers

import "slices"

// Spread is a metric over the rounds.
type Spread struct {
	Median, Min, Max float64
	Rounds           int
}

// of is what the rounds gave for a metric; ok is false if none gave anything.
func (r Results) of(scenario, target string, m Metric) (s Spread, ok bool) {
	var values []float64
	for _, sample := range r.Samples {
		if sample.Scenario == scenario && sample.Target == target && sample.Metric == m {
			values = append(values, sample.Value)
		}
	}
	if len(values) == 0 {
		return Spread{}, false
	}
	slices.Sort(values)
	middle := len(values) / 2
	s = Spread{Median: values[middle], Min: values[0], Max: values[len(values)-1], Rounds: len(values)}
	if len(values)%2 == 0 {
		s.Median = (values[middle-1] + values[middle]) / 2
	}
	return s, true
}

// ours is the name of the target that the others are peers of.
const ours = "tidemark"

// best is the peer whose median is the best one.
func (r Results) best(scenario string, row row) (peer Target, best Spread, ok bool) {
	for _, t := range Targets() {
		s, measured := r.of(scenario, t.Name, row.metric)
		if t.Name == ours || !measured {
			continue
		}
		if !ok || row.more && s.Median > best.Median || !row.more && s.Median < best.Median {
			peer, best, ok = t, s, true
		}
	}
	return peer, best, ok
}

// times is how many times better a value is than another one.
func (r row) times(value, than float64) float64 {
	if r.more {
		return value / than
	}
	return than / value
}
