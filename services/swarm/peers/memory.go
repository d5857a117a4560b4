package peers

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// memory lets clients connect who do nothing, and divides what the server's memory has grown by among them.
func (p Plan) memory(ctx context.Context, s *server) (Values, error) {
	// A few, so that what is only needed once is there, and not more: what many leave behind would be taken for memory
	// that the server needs without clients.
	if err := visit(ctx, s, p.IdleClients/100); err != nil {
		return nil, err
	}
	before, err := s.stable(ctx, p.StableFor)
	if err != nil {
		return nil, err
	}
	runtimeBefore, err := s.goMemory(ctx)
	if err != nil {
		return nil, err
	}
	c, err := newcomers(ctx, s, p.IdleClients)
	if err != nil {
		return nil, err
	}
	defer c.leave()
	after, err := s.stable(ctx, p.StableFor)
	if err != nil {
		return nil, err
	}
	runtimeAfter, err := s.goMemory(ctx)
	if err != nil {
		return nil, err
	}
	grown, clients := after.since(before), float64(p.IdleClients)
	v := Values{IdleRSS: float64(grown.rss()) / clients, IdlePSS: float64(grown.pss()) / clients}
	for m, bytes := range runtimeAfter {
		v[m] = (bytes - runtimeBefore[m]) / clients
	}
	if len(runtimeAfter) > 0 {
		v[IdleRest] = v[IdleRSS] - v[IdleHeap] - v[IdleFree] - v[IdleStacks]
	}
	return v, nil
}

// goMetrics are what a server that is written in Go tells of its memory.
var goMetrics = map[string]Metric{
	"go_memstats_heap_inuse_bytes":    IdleHeap,
	"go_memstats_heap_alloc_bytes":    IdleLive,
	"go_memstats_stack_inuse_bytes":   IdleStacks,
	"go_memstats_heap_idle_bytes":     idle,
	"go_memstats_heap_released_bytes": released,
}

// What IdleFree is made of.
const (
	idle     Metric = "heap_idle"
	released Metric = "heap_released"
)

// goMemory is what Tidemark tells of its memory; nothing of the others, which do not tell.
func (s *server) goMemory(ctx context.Context) (Values, error) {
	if !s.target.metrics {
		return nil, nil
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	v := Values{}
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if m, wanted := goMetrics[name]; wanted {
			if v[m], err = strconv.ParseFloat(value, 64); err != nil {
				return nil, err
			}
		}
	}
	if len(v) != len(goMetrics) {
		return nil, fmt.Errorf("/metrics tells only %v of the memory", v)
	}
	v[IdleFree] = v[idle] - v[released]
	delete(v, idle)
	delete(v, released)
	return v, lines.Err()
}
