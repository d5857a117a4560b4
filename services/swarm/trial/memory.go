package trial

import (
	"bufio"
	"context"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/measure"
)

const (
	scrapeEvery   = 2 * time.Second
	scrapeTimeout = time.Second
	residentBytes = "process_resident_memory_bytes "
)

// scraper goes to the address it is given and nowhere else.
var scraper = &http.Client{
	Transport:     &http.Transport{MaxIdleConnsPerHost: 1},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// watchMemory adds the memory of each gateway to the series, as its /metrics says, until ctx ends. A server without
// /metrics has none.
func watchMemory(ctx context.Context, m *measure.Meter, gateways []string) {
	var all sync.WaitGroup
	defer all.Wait()
	for i, url := range gateways {
		var latest atomic.Uint64
		latest.Store(math.Float64bits(math.NaN()))
		m.Gauge("memory of gateway "+strconv.Itoa(i+1)+", MB", func() float64 { return math.Float64frombits(latest.Load()) })
		all.Go(func() {
			tick := time.NewTicker(scrapeEvery)
			defer tick.Stop()
			for {
				latest.Store(math.Float64bits(scrape(ctx, url+"/metrics")))
				select {
				case <-tick.C:
				case <-ctx.Done():
					return
				}
			}
		})
	}
}

// scrape is the resident memory in MB that a page of metrics tells of, or NaN.
func scrape(ctx context.Context, url string) float64 {
	ctx, cancel := context.WithTimeout(ctx, scrapeTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return math.NaN()
	}
	response, err := scraper.Do(request)
	if err != nil {
		return math.NaN()
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(http.MaxBytesReader(nil, response.Body, 4<<20))
	for lines.Scan() {
		if value, found := strings.CutPrefix(lines.Text(), residentBytes); found {
			if bytes, err := strconv.ParseFloat(value, 64); err == nil {
				return bytes / 1e6
			}
		}
	}
	return math.NaN()
}
