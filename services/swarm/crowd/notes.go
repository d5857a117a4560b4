package crowd

import (
	"fmt"
	"sync"
)

// maxNotes is how many different texts are kept.
const maxNotes = 50

// notes counts texts.
type notes struct {
	mu    sync.Mutex
	order []string
	count map[string]int
}

func (n *notes) add(text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.count == nil {
		n.count = map[string]int{}
	}
	if n.count[text] == 0 {
		if len(n.order) == maxNotes {
			return
		}
		n.order = append(n.order, text)
	}
	n.count[text]++
}

// all are the texts, each with how often it came if that was more than once.
func (n *notes) all() (texts []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, text := range n.order {
		if times := n.count[text]; times > 1 {
			text = fmt.Sprintf("%s (%d times)", text, times)
		}
		texts = append(texts, text)
	}
	return texts
}
