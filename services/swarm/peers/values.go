package peers

import (
	"slices"
	"time"
)

// Metric is what a number is of, and its unit.
type Metric string

// The metrics. Those of processor time are of all of the server's processes.
const (
	DeliveryRate Metric = "deliveries_per_second"
	DeliveryCPU  Metric = "cpu_seconds_per_million_deliveries"
	DeliveryP50  Metric = "delivery_p50_ms"
	DeliveryP99  Metric = "delivery_p99_ms"

	AckRate Metric = "acks_per_second"
	AckCPU  Metric = "cpu_seconds_per_million_acks"
	AckP50  Metric = "ack_p50_ms"
	AckP99  Metric = "ack_p99_ms"

	ConnectRate Metric = "connects_per_second"
	ConnectCPU  Metric = "cpu_seconds_per_thousand_connects"
	ConnectP99  Metric = "connect_p99_ms"

	IdleRSS    Metric = "rss_bytes_per_connection"
	IdlePSS    Metric = "pss_bytes_per_connection"
	IdleLive   Metric = "go_heap_objects_bytes_per_connection" // with garbage
	IdleHeap   Metric = "go_heap_in_use_bytes_per_connection"  // with these and the room between them
	IdleFree   Metric = "go_heap_free_bytes_per_connection"    // not given back to the system
	IdleStacks Metric = "go_stacks_bytes_per_connection"
	IdleRest   Metric = "go_rest_bytes_per_connection" // of the resident memory

	RecoveryAll Metric = "recovery_of_all_ms"
	RecoveryP50 Metric = "recovery_p50_ms"
	RecoveryP99 Metric = "recovery_p99_ms"
	RecoveryCPU Metric = "recovery_cpu_seconds"
)

// ofRedis is the part of a metric of processor time that was redis-server's.
func (m Metric) ofRedis() Metric { return m + "_of_redis" }

// Values are the numbers of one scenario.
type Values map[Metric]float64

// cpu adds the processor time of what was done, for each so many.
func (v Values) cpu(m Metric, u usage, done int, each float64) {
	v[m] = u.cpu() / float64(done) * each
	if redis, is := u[redisServer]; is {
		v[m.ofRedis()] = redis.cpu / float64(done) * each
	}
}

// waits adds quantiles, in milliseconds. Waits are sorted by it.
func (v Values) waits(waits []time.Duration, quantiles map[Metric]float64) {
	slices.Sort(waits)
	for m, q := range quantiles {
		v[m] = milliseconds(quantile(waits, q))
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// quantile is the smallest of the sorted values that at least a share q of them does not exceed.
func quantile[T any](sorted []T, q float64) T {
	at := int(q*float64(len(sorted))+0.999999) - 1
	return sorted[min(max(at, 0), len(sorted)-1)]
}
