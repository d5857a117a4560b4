package delivery

import "sync"

// queue is the members that wait for a reader, oldest first. A member is in at
// most one queue, once (its state says so), which bounds it.
type queue struct {
	mu      sync.Mutex
	filled  sync.Cond
	members []*Member
	closed  bool
}

func newQueue() *queue {
	q := &queue{}
	q.filled.L = &q.mu
	return q
}

func (q *queue) push(m *Member) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.members = append(q.members, m)
	q.filled.Signal()
}

// pop waits for a member. It returns nil when the queue is closed.
func (q *queue) pop() *Member {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.members) == 0 && !q.closed {
		q.filled.Wait()
	}
	if q.closed {
		return nil
	}
	m := q.members[0]
	q.members[0] = nil
	q.members = q.members[1:]
	return m
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.members = nil
	q.filled.Broadcast()
}
