package signing

import "time"

// look is how often a notary looks whether there is something to sign.
const look = time.Second

// due is the offset through which to sign now, in entries of every offsets, or 0 if there is nothing to sign yet. The tree has
// size offsets, the projection is at checkpoint, and the last checkpoint was signed waited ago. The projection is behind the tree
// while a read model is made again.
func due(size, checkpoint uint64, every int, waited, interval time.Duration) uint64 {
	if checkpoint <= size {
		return 0
	}
	if waited >= interval {
		return checkpoint
	}
	if whole := (checkpoint - size) / uint64(every) * uint64(every); whole > 0 {
		return size + whole
	}
	return 0
}

const (
	minBackoff = time.Second
	maxBackoff = time.Minute
	// refusedEvery is how often a notary that has refused to sign looks again.
	refusedEvery = time.Minute
)

// backoff is the wait after so many failures in a row, from 1.
func backoff(failures int) time.Duration {
	return min(minBackoff<<min(failures-1, 10), maxBackoff)
}
