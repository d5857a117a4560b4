package client

import "sync"

// pending is the acks that are awaited. Ids are given from 0, as an official client gives them.
type pending struct {
	mu      sync.Mutex
	next    int
	waiting map[int]func(args []byte) // nil: none so far
	over    bool
}

// add gives an id to an answer; false after end.
func (p *pending) add(answer func([]byte)) (id int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return 0, false
	}
	if p.waiting == nil {
		p.waiting = make(map[int]func([]byte))
	}
	id = p.next
	p.next++
	p.waiting[id] = answer
	return id, true
}

// take gives an answer out, once.
func (p *pending) take(id int) (answer func([]byte), ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	answer, ok = p.waiting[id]
	delete(p.waiting, id)
	return answer, ok
}

// end forgets all.
func (p *pending) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting, p.over = nil, true
}
