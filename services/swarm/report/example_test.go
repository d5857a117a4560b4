package report

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/measure"
)

// hostile is what a page, a terminal and an SVG must show and not obey.
const hostile = "</script><script>alert(1)</script> \x1b[2J\x00\u202e \"' & <b onclick=x>"

// example is a report of made-up values, the same each time.
func example() *Report {
	r := &Report{
		Command: "prove", Arguments: map[string]string{"clients": "200", "faults": "all", "for": "1m0s"},
		Version: "v1.2.3", RunID: "r-7f3a", Seed: 7, Began: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Took: 61.5,
		Machine:   Machine{CPUs: 2, CPU: "Some CPU @ 2.0 GHz", Platform: "linux/amd64", GoVersion: "go1.26.0", Kernel: "6.1.0"},
		Addresses: []string{"http://127.0.0.1:3000", "http://127.0.0.1:3010"},
		LeftOut:   []string{"full disk: needs a small file system, which this user may not mount"},
		Rules: []Rule{
			{"durable", "What was acked is in the log.", 0},
			{"ordered", "Offsets ascend on a connection.", 2},
			{"private", "Nobody is sent what is not for him.", 1},
		},
		Findings: []Finding{
			{Rule: "ordered", Actor: "reconnector-7", Connection: 2, Offset: 4711,
				Text:     "reconnector-7 was sent offset 4710 after 4711 on its connection 2.",
				Timeline: []string{"  12.031 s  connected to http://127.0.0.1:3010 from 4700", "  12.040 s  received 4711 in room general", "> 12.041 s  received 4710 in room general"}},
			{Rule: "private", Actor: "guest-1", Connection: 0, Offset: 5000, Text: hostile, Timeline: []string{"> 13.000 s  received 5000: " + hostile}},
			{Rule: "ordered", Connection: -1, Text: "And 1 more of this kind."},
		},
		Faults: []Fault{
			{8, Begins, "kill", "gateway-1", "kill -9, started again after 2 s"},
			{10, Ends, "kill", "gateway-1", "ready again"},
			{9, Begins, "delay", "gateway-2 to nats-1", "100 ms each way"},
			{21, Ends, "delay", "gateway-2 to nats-1", ""},
			{30, "", "leader", "CHAT", "stepped down"},
			{31, Begins, "stop", hostile, "SIGSTOP"},
			{55, Begins, "cut", "persister-1 to nats-2 and everything else", "never mended"},
		},
	}
	r.Series, r.Totals, r.Latencies = exampleSeries()
	r.Judge()
	return r
}

func exampleSeries() (points []measure.Point, totals measure.Counts, all measure.Latencies) {
	random := rand.New(rand.NewPCG(1, 2))
	for s := 1; s <= 61; s++ {
		n := int64(400 + random.IntN(60))
		p := measure.Point{AtSeconds: float64(s), Seconds: 1, Connected: 200, Gauges: map[string]float64{"gateway-1 memory (bytes)": 40e6 + 1e6*math.Sqrt(float64(s))}}
		worse := 1.0
		if s > 8 && s <= 12 || s > 31 && s < 35 {
			n, worse = n/3, 60
			p.Connected, p.Cuts, p.Connects = 120+int64(s), 20, 20
		}
		p.Sent, p.Acked, p.Received, p.Unanswered = n, n-n/50, n*50, n/50
		if s != 33 {
			p.Latencies.Ack = measure.Latency{Count: n, P50Ms: 1.2 * worse, P90Ms: 2 * worse, P99Ms: (4 + random.Float64()) * worse, P999Ms: 9 * worse, MaxMs: (10 + 5*random.Float64()) * worse}
			p.Latencies.Delivery = measure.Latency{Count: n * 50, P50Ms: 1.9 * worse, P90Ms: 3 * worse, P99Ms: (6 + random.Float64()) * worse, P999Ms: 12 * worse, MaxMs: (20 + 5*random.Float64()) * worse}
		}
		points = append(points, p)
		totals.Sent, totals.Acked, totals.Received = totals.Sent+p.Sent, totals.Acked+p.Acked, totals.Received+p.Received
		totals.Cuts, totals.Connects, totals.Unanswered = totals.Cuts+p.Cuts, totals.Connects+p.Connects, totals.Unanswered+p.Unanswered
	}
	all.Ack = measure.Latency{Count: totals.Acked, P50Ms: 1.2, P90Ms: 2.1, P99Ms: 250.4, P999Ms: 800, MaxMs: 1200}
	all.Delivery = measure.Latency{Count: totals.Received, P50Ms: 1.9, P90Ms: 3.3, P99Ms: 301, P999Ms: 999, MaxMs: 2504}
	return points, totals, all
}
