package crowd

import (
	"slices"
	"sync"
)

// epochs are those that each gateway tells of.
type epochs struct {
	mu   sync.Mutex
	told map[string][]string
}

// mostEpochs is how many of one gateway are kept: two are a contradiction.
const mostEpochs = 2

func (e *epochs) add(gateway, epoch string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.told == nil {
		e.told = map[string][]string{}
	}
	if known := e.told[gateway]; len(known) < mostEpochs && !slices.Contains(known, epoch) {
		e.told[gateway] = append(known, epoch)
	}
}

func (e *epochs) all() map[string][]string {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make(map[string][]string, len(e.told))
	for gateway, epochs := range e.told {
		all[gateway] = slices.Clone(epochs)
	}
	return all
}
