package delivery

import (
	"context"
	"time"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
)

// watermarkBatch is how many members are told under one hold of the lock.
const watermarkBatch = 256

// tellWatermarks tells live members, from time to time, that they have been
// sent everything up to now: a client in quiet conversations would otherwise
// come back with an old offset and make us read far for nothing.
func (h *Hub) tellWatermarks(ctx context.Context) {
	ticker := time.NewTicker(h.options.WatermarkInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		members := h.liveMembers()
		for len(members) > 0 {
			n := min(len(members), watermarkBatch)
			h.tellWatermark(members[:n])
			members = members[n:]
		}
	}
}

func (h *Hub) liveMembers() []*Member {
	h.mu.Lock()
	defer h.mu.Unlock()
	members := make([]*Member, 0, len(h.members))
	for m := range h.members {
		if m.state == live {
			members = append(members, m)
		}
	}
	return members
}

func (h *Hub) tellWatermark(members []*Member) {
	h.mu.Lock()
	defer h.mu.Unlock()
	position := h.tail.Position()
	f := transport.NewFrame(contract.Watermark(position))
	for _, m := range members {
		if m.state != live || m.shown >= position {
			continue
		}
		if m.outlet.Send(f) == 0 {
			h.fallBehind(m, m.cursor)
			continue
		}
		m.cursor, m.shown = max(m.cursor, position), position
	}
}
