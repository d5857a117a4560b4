package crowd

import "sync"

// people are the users of the crowd that have registered.
type people struct {
	mu  sync.RWMutex
	ids []string
}

func (p *people) add(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ids = append(p.ids, id)
}

// pick is one of them by number, or "" if there is nobody.
func (p *people) pick(n uint64) string {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if len(p.ids) == 0 {
		return ""
	}
	return p.ids[n%uint64(len(p.ids))]
}
