package report

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"

	"github.com/tidemark-chat/tidemark/services/swarm/report/internal/words"
)

// evenTicks are those of an axis that begins at 0: about four steps of 1, 2 or 5 times a power of ten.
func evenTicks(top float64, label func(float64) string) (ticks []plot.Tick, end float64) {
	if top <= 0 || math.IsInf(top, 0) || math.IsNaN(top) {
		top = 1
	}
	step := math.Pow(10, math.Floor(math.Log10(top/4)))
	for _, times := range []float64{1, 2, 5, 10} {
		if top/(step*times) <= 4.5 {
			step *= times
			break
		}
	}
	for i := 0; ; i++ {
		end = float64(i) * step
		ticks = append(ticks, plot.Tick{Value: end, Label: label(end)})
		if end >= top*(1-1e-9) {
			return ticks, end
		}
	}
}

// powerTicks are those of a logarithmic axis of milliseconds: powers of ten that hold all between bottom and top.
func powerTicks(bottom, top float64) (ticks []plot.Tick, begin, end float64) {
	first := int(math.Floor(math.Log10(max(bottom, 0.001)) + 1e-9))
	last := max(int(math.Ceil(math.Log10(max(top, 0.001))-1e-9)), first+1)
	for power := first; power <= last; power++ {
		v := math.Pow10(power)
		ticks = append(ticks, plot.Tick{Value: v, Label: powerLabel(v)})
	}
	return ticks, math.Pow10(first), math.Pow10(last)
}

func powerLabel(ms float64) string {
	switch {
	case ms < 0.9:
		return fmt.Sprintf("%.0f µs", ms*1000)
	case ms < 900:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.0f s", ms/1000)
}

// timeSteps are the distances at which people expect ticks of time, in seconds.
var timeSteps = []float64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400}

// timeTicks are at most about ten.
func timeTicks(end float64) (ticks []plot.Tick) {
	step := timeSteps[len(timeSteps)-1]
	for _, s := range timeSteps {
		if end/s <= 10.5 {
			step = s
			break
		}
	}
	step *= max(1, math.Ceil(end/step/20))
	for at := 0.0; at <= end; at += step {
		ticks = append(ticks, plot.Tick{Value: at, Label: words.Clock(at)})
	}
	return ticks
}
