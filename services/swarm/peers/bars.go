package peers

import "fmt"

// Bar is what is asked of Tidemark.
type Bar struct {
	Title    string
	Scenario string
	Metric   Metric
	Peer     string  // it is compared with; empty: the one that is best in this metric
	Times    float64 // better than the peer; 0: AtMost is asked instead
	AtMost   float64 // in the metric's unit
}

// Bars are those of the full plan. What "better" is stands with the metric.
func Bars() []Bar {
	return []Bar{
		{Title: "full speed, 200 clients: CPU-s per million deliveries", Scenario: "fanout-200", Metric: DeliveryCPU, Times: 5},
		{Title: "full speed, 200 clients: delivery p99, ms", Scenario: "fanout-200", Metric: DeliveryP99, Times: 1},
		{Title: "full speed, 1,000 clients: CPU-s per million deliveries", Scenario: "fanout-1000", Metric: DeliveryCPU, Times: 10},
		{Title: "full speed, 1,000 clients: delivery p99, ms", Scenario: "fanout-1000", Metric: DeliveryP99, Times: 1},
		{Title: "fixed rate, 200 clients: CPU-s per million deliveries", Scenario: "paced-200", Metric: DeliveryCPU, Times: 1.5},
		{Title: "fixed rate, 200 clients: delivery p99, ms", Scenario: "paced-200", Metric: DeliveryP99, Times: 1},
		{Title: "fixed rate, 1,000 clients: CPU-s per million deliveries", Scenario: "paced-1000", Metric: DeliveryCPU, Times: 1.5},
		{Title: "fixed rate, 1,000 clients: delivery p99, ms", Scenario: "paced-1000", Metric: DeliveryP99, Times: 1},
		{Title: "acks per second, 1 in flight each", Scenario: "publish-1", Metric: AckRate, Peer: "tutorial", Times: 1},
		{Title: "acks per second, 8 in flight each", Scenario: "publish-8", Metric: AckRate, Peer: "tutorial", Times: 1.5},
		{Title: "connects per second", Scenario: "connect", Metric: ConnectRate, Times: 2},
		{Title: "memory of an idle connection, KB", Scenario: "memory", Metric: IdleRSS, AtMost: 32 << 10},
		{Title: "1,000 clients recover 100 messages each, ms", Scenario: "recovery", Metric: RecoveryAll, AtMost: 1000},
	}
}

// Verdict is how a bar stands.
type Verdict struct {
	Bar      Bar
	Measured bool // all that it takes
	Met      bool
	Asked    string
	Ours     string // what Tidemark has
	Theirs   string // what the peer has; empty: nothing was compared
	Times    float64
}

// Judge says of each bar how it stands, by the medians.
func (r Results) Judge() (verdicts []Verdict) {
	for _, b := range Bars() {
		verdicts = append(verdicts, r.judge(b))
	}
	return verdicts
}

func (r Results) judge(b Bar) Verdict {
	v := Verdict{Bar: b, Asked: fmt.Sprintf("%g times the best peer", b.Times)}
	row := rowOf(b.Metric)
	switch {
	case b.Times == 0:
		v.Asked = "at most " + row.format(b.AtMost)
	case b.Times == 1:
		v.Asked = "not worse than the best peer"
	}
	if b.Peer != "" {
		v.Asked = fmt.Sprintf("%g times the %s's", b.Times, b.Peer)
	}
	us, measured := r.of(b.Scenario, ours, b.Metric)
	if !measured {
		return v
	}
	v.Ours = row.format(us.Median)
	if b.Times == 0 {
		v.Measured, v.Met = true, us.Median <= b.AtMost
		return v
	}
	peer, them, measured := r.peer(b, row)
	if !measured {
		return v
	}
	v.Times = row.times(us.Median, them.Median)
	v.Theirs = fmt.Sprintf("%s (%s)", row.format(them.Median), peer.Name)
	v.Measured, v.Met = true, v.Times >= b.Times
	return v
}

// peer is the one that a bar compares with.
func (r Results) peer(b Bar, row row) (peer Target, s Spread, ok bool) {
	if b.Peer == "" {
		return r.best(b.Scenario, row)
	}
	s, ok = r.of(b.Scenario, b.Peer, b.Metric)
	return Target{Name: b.Peer}, s, ok
}
