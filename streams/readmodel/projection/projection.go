// Package projection turns deliveries of the log into what one transaction
// writes. It is pure: no network, no database, no clock.
//
//	delivered   5 6 7 | 8 9 10 | 13 14      the checkpoint is 7
//	            again   dense    gap at 13
//
// The log is dense, so the event after the checkpoint is the one at the next
// offset: a lower one has been delivered before, a higher one means that
// something is missing between.
package projection

import (
	"errors"
	"fmt"
	"time"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// Delivery is one message of the log as the consumer was given it.
type Delivery struct {
	Offset uint64
	At     time.Time
	Stored readmodel.Stored
}

// Dense picks what follows an offset without a gap. Deliveries at or below it
// are passed over. gap is the offset of the first delivery beyond a hole, or
// 0; nothing from there on is picked.
func Dense(after uint64, deliveries []Delivery) (dense []Delivery, gap uint64) {
	dense = make([]Delivery, 0, len(deliveries))
	for _, d := range deliveries {
		switch {
		case d.Offset == after+1:
			dense = append(dense, d)
			after++
		case d.Offset > after:
			return dense, d.Offset
		}
	}
	return dense, 0
}

// Skipped counts events that stay in the log and out of the read model,
// because this code does not understand them.
type Skipped struct {
	UnknownType int
	NewerSchema int
}

// Project decodes dense deliveries into a batch that continues previous in the
// log with this epoch. They must not be empty. If the first is not the one
// after previous, what is between is recorded as missing.
func Project(previous readmodel.Position, epoch string, dense []Delivery) (readmodel.Batch, Skipped) {
	b := readmodel.Batch{Previous: previous, Messages: make([]readmodel.Row, 0, len(dense))}
	var skipped Skipped
	if first := dense[0].Offset; first != previous.Offset+1 {
		b.DeadLetters = append(b.DeadLetters, Missing(previous.Offset+1, first-1))
	}
	for _, d := range dense {
		e, err := event.Decode(d.Offset, d.At, d.Stored.Subject, d.Stored.Header, d.Stored.Content)
		if err == nil {
			err = InPlace(&e)
		}
		row := readmodel.Row{Event: e, Stored: d.Stored}
		switch {
		case err != nil:
			b.DeadLetters = append(b.DeadLetters, row.DeadLetter(err.Error()))
		case e.Message():
			b.Messages = append(b.Messages, row)
		case e.Known():
			b.Users = append(b.Users, row)
		case e.Schema > event.Schema:
			skipped.NewerSchema++
		default:
			skipped.UnknownType++
		}
		b.Next = readmodel.Position{Offset: d.Offset, At: e.At, Epoch: epoch, Digest: e.Digest}
	}
	return b, skipped
}

// InPlace says what is wrong with an event that is intact but in a conversation
// that cannot be its own. An inbox is made of whole conversations: a message
// among those of two others would be shown to them.
func InPlace(e *event.Event) error {
	switch {
	case !e.Known():
	case e.Type == event.Registered && e.Conversation != subject.Conversation{Kind: subject.User, Name: e.Sender}:
		return errors.New("the conversation is not the user's own")
	case e.Conversation.Kind == subject.DM && e.Conversation.Name != subject.PairName(e.Sender, e.Recipient):
		return errors.New("the conversation is not that of sender and recipient")
	}
	return nil
}

// Missing is the dead letter of offsets that the log does not hold.
func Missing(from, through uint64) readmodel.DeadLetter {
	return readmodel.DeadLetter{
		Offset: from, Through: through,
		Reason: fmt.Sprintf("the log holds nothing at these %d offsets", through-from+1),
	}
}
