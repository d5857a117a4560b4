package peers

import (
	"fmt"
	"strconv"
)

// row is how a metric is shown.
type row struct {
	metric Metric
	title  string
	short  string  // for the progress
	scale  float64 // of the value as it is shown
	more   bool    // more is better
}

// given is what the client sets, so that nothing is better.
func (r row) given(kind string) bool { return kind == "paced" && r.metric == DeliveryRate }

func (r row) format(value float64) string { return number(value * r.scale) }

// number has three digits that count, and no more before the point than there are.
func number(v float64) string {
	digits := 0
	switch abs := max(v, -v); {
	case abs < 0.9995:
		digits = 3
	case abs < 9.995:
		digits = 2
	case abs < 99.95:
		digits = 1
	case abs >= 999.5:
		return thousands(int(v + 0.5))
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}

// ofRedis is the row below one of processor time.
func (r row) ofRedis() row {
	r.metric, r.title, r.short = r.metric.ofRedis(), "of which redis-server", "of redis"
	return r
}

// rows are the metrics of a kind of scenarios, in the order in which they are shown.
func rows(kind string) []row {
	switch kind {
	case "fanout", "paced":
		cpu := row{DeliveryCPU, "CPU-seconds of the server per million deliveries", "cpu-s/M", 1, false}
		return []row{
			{DeliveryRate, "deliveries per second", "deliveries/s", 1, true}, cpu, cpu.ofRedis(),
			{DeliveryP50, "delivery p50, ms", "p50 ms", 1, false}, {DeliveryP99, "delivery p99, ms", "p99 ms", 1, false},
		}
	case "publish":
		cpu := row{AckCPU, "CPU-seconds of the server per million acks", "cpu-s/M", 1, false}
		return []row{
			{AckRate, "acks per second", "acks/s", 1, true}, cpu, cpu.ofRedis(),
			{AckP50, "ack p50, ms", "p50 ms", 1, false}, {AckP99, "ack p99, ms", "p99 ms", 1, false},
		}
	case "connect":
		cpu := row{ConnectCPU, "CPU-seconds of the server per thousand connects", "cpu-s/k", 1, false}
		return []row{
			{ConnectRate, "connects per second", "connects/s", 1, true}, cpu, cpu.ofRedis(),
			{ConnectP99, "connect p99, ms", "p99 ms", 1, false},
		}
	case "memory":
		return []row{
			{IdleRSS, "resident memory per connection, KB", "KB RSS", perKB, false},
			{IdlePSS, "the same as PSS, KB", "KB PSS", perKB, false},
			{IdleHeap, "of it Go's heap in use, KB", "KB heap", perKB, false},
			{IdleLive, "of that objects, KB", "KB objects", perKB, false},
			{IdleFree, "of it Go's heap that is free, KB", "KB free", perKB, false},
			{IdleStacks, "of it Go's stacks, KB", "KB stacks", perKB, false},
			{IdleRest, "of it the rest (what the runtime keeps for itself, code), KB", "KB rest", perKB, false},
		}
	case "recovery":
		cpu := row{RecoveryCPU, "CPU-seconds of the server", "cpu-s", 1, false}
		return []row{
			{RecoveryAll, "until the last has all, ms", "ms", 1, false},
			{RecoveryP50, "of a client p50, ms", "p50 ms", 1, false}, {RecoveryP99, "of a client p99, ms", "p99 ms", 1, false},
			cpu, cpu.ofRedis(),
		}
	}
	return nil
}

// perKB makes KB of 1,024 bytes.
const perKB = 1.0 / 1024

// thousands is a count as people write it.
func thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

// kinds of scenarios.
var kinds = []string{"fanout", "paced", "publish", "connect", "memory", "recovery"}

// rowOf is how a metric is shown.
func rowOf(m Metric) row {
	for _, kind := range kinds {
		for _, r := range rows(kind) {
			if r.metric == m {
				return r
			}
		}
	}
	return row{metric: m, title: string(m), short: string(m), scale: 1}
}
