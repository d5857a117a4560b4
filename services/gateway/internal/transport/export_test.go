package transport

// PollWaits tells whether a poll is held, which is else seen only when it ends.
func PollWaits(l *Link) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, ok := l.carrier.(*polling)
	return ok && t.poll != nil
}
