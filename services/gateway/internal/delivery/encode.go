package delivery

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// encoder encodes one message in the forms in which members see it, each form
// once: as its sender does or not, and with or without "new message" behind it.
type encoder struct {
	event  *event.Event
	marks  [3]uint64 // of whoever can have sent it, see mark
	marked bool
	frames [4]transport.Frame
	made   [4]bool
}

// frame is the message as a member sees it. It is false if the member is not
// sent it: a direct message does not go back to the connection it came over.
func (c *encoder) frame(m *Member, i *interest) (transport.Frame, bool) {
	e := c.event
	own := e.Key != "" && c.maybe(m) && m.viewer.Own(e)
	lounge := e.SenderName != "" && e.Conversation == subject.General && e.Offset > i.lounge
	if e.Conversation.Kind == subject.DM && m.viewer.Sent(e) {
		return transport.Frame{}, false
	}
	form := 0
	if own {
		form |= 1
	}
	if lounge && !m.viewer.Sent(e) {
		form |= 2
	}
	if !c.made[form] {
		c.frames[form], c.made[form] = encode(e, form&1 != 0, form&2 != 0), true
	}
	return c.frames[form], true
}

// maybe is false if a message is certainly not a member's own. It is asked for each
// delivery, and with thousands of members it is their memory that costs, so it
// looks at nothing but the member itself.
func (c *encoder) maybe(m *Member) bool {
	if !c.marked {
		c.marked = true
		socket, _ := strings.CutPrefix(c.event.Scope, "guest:")
		c.marks = [3]uint64{mark(c.event.Key), mark(c.event.Sender), mark(socket)}
	}
	return m.mark == 0 || slices.Contains(c.marks[:], m.mark)
}

// mark is the beginning of an id.
func mark(id string) uint64 {
	var first [8]byte
	copy(first[:], id)
	return binary.LittleEndian.Uint64(first[:])
}

func encode(e *event.Event, own, lounge bool) transport.Frame {
	f := transport.NewFrame(contract.AppendMessage(nil, e, own))
	if lounge {
		f = transport.JoinFrames(f, transport.NewFrame(contract.NewMessage(nil, e.SenderName, e.Content)))
	}
	return f
}

// parcel is messages as one member sees them.
type parcel struct {
	frames  []transport.Frame
	offsets []uint64 // of each frame's message
}

// pack encodes messages for a member, about so many bytes at most. What
// was read is complete through an offset, and so is the parcel, through the one it
// returns.
func pack(m *Member, i *interest, events []*event.Event, through uint64, most int) (parcel, uint64) {
	p, size := parcel{frames: make([]transport.Frame, 0, len(events)), offsets: make([]uint64, 0, len(events))}, 0
	for _, e := range events {
		if !i.wants(e) {
			continue
		}
		if size > most {
			return p, p.offsets[len(p.offsets)-1]
		}
		c := encoder{event: e}
		if f, ok := c.frame(m, i); ok {
			p.frames = append(p.frames, f)
			p.offsets = append(p.offsets, e.Offset)
			size += f.Size()
		}
	}
	return p, through
}

// send sends a parcel, after which everything up to an offset has been sent, and
// moves the cursor behind what the outlet took. It is false if that is not all.
// Under Hub.mu.
func (h *Hub) send(m *Member, p parcel, through uint64) bool {
	sent, bytes := 0, 0
	if len(p.frames) > 0 {
		sent = m.outlet.Send(p.frames...)
	}
	for _, f := range p.frames[:sent] {
		bytes += f.Size()
	}
	h.options.Metrics.caughtUp.add(sent, bytes)
	m.recovery.Count += uint64(sent)
	if sent > 0 {
		m.shown = p.offsets[sent-1]
	}
	if sent < len(p.frames) {
		m.cursor = max(m.cursor, m.shown)
		return false
	}
	m.cursor = max(m.cursor, through)
	return true
}
