package measure

// maxPoints is how many points a series has at most: two hours of seconds.
const maxPoints = 7200

// Point is what happened in one interval, a second or, in a long run, several.
type Point struct {
	AtSeconds float64 `json:"atSeconds"` // its end, since the run began
	Seconds   float64 `json:"seconds"`   // its length
	Connected int64   `json:"connected"` // connections open at its end
	Counts            // in the interval

	// Latencies of what ended in the interval. Where intervals were made one, each quantile is the largest among them,
	// which that of all of them together does not exceed.
	Latencies Latencies `json:"latencies,omitzero"`
	// Gauges at its end, by name; those known.
	Gauges map[string]float64 `json:"gauges,omitempty"`
}

// PerSecond is the rate of a count of this point.
func (p Point) PerSecond(count int64) float64 {
	if p.Seconds <= 0 {
		return 0
	}
	return float64(count) / p.Seconds
}

// Then is one point for this and the next one.
func (p Point) Then(next Point) Point {
	one := next
	one.Seconds += p.Seconds
	one.Counts = p.Counts.plus(next.Counts)
	for k := range kinds {
		*one.Latencies.of(k) = p.Latencies.of(k).with(*next.Latencies.of(k))
	}
	if one.Gauges == nil {
		one.Gauges = p.Gauges
	}
	return one
}

// Thin makes neighbours one until there are at most limit points, which is at least 1. It leaves points as it is.
func Thin(points []Point, limit int) []Point {
	for len(points) > limit {
		points = halve(points)
	}
	return points
}

// halve makes each two neighbours one; the last is left alone if it has none.
func halve(points []Point) []Point {
	half := make([]Point, 0, (len(points)+1)/2)
	for ; len(points) > 1; points = points[2:] {
		half = append(half, points[0].Then(points[1]))
	}
	return append(half, points...)
}

// series is points of equal length, each of `each` samples but the newest, which has `newest` of them.
type series struct {
	points       []Point
	each, newest int
}

func (s *series) add(p Point) {
	if s.newest < s.each {
		last := len(s.points) - 1
		s.points[last] = s.points[last].Then(p)
		s.newest++
		return
	}
	if len(s.points) == maxPoints {
		s.points = halve(s.points)
		s.each *= 2
	}
	s.points = append(s.points, p)
	s.each, s.newest = max(s.each, 1), 1
}
