package selection

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/replay"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// Matcher tells the events that are meant; it is pure and may be called at once by several. Names of the users of Between are
// looked up in the log first, which reads all of it unless both are ids; a name that several users have, or nobody, is an
// error that says so and is Permanent.
func (s *Selection) Matcher(ctx context.Context, js jetstream.JetStream) (func(*event.Event) bool, error) {
	var direct subject.Conversation
	if len(s.Between) == 2 {
		a, b, err := resolve(ctx, js, s.Between[0], s.Between[1])
		if err != nil {
			return nil, err
		}
		direct = subject.Conversation{Kind: subject.DM, Name: subject.PairName(a, b)}
	}
	return s.compile(direct).match, nil
}

// resolve turns two ids or names into ids.
func resolve(ctx context.Context, js jetstream.JetStream, a, b string) (idA, idB string, err error) {
	l := &lookup{found: map[string]*person{a: {}, b: {}}}
	if err := l.ids(ctx, js); err != nil {
		return "", "", fault.New("look for users", fault.Temporary, err)
	}
	if !l.found[a].isID || !l.found[b].isID {
		if err := l.names(ctx, js); err != nil {
			return "", "", err
		}
	}
	if idA, err = l.found[a].id(a); err == nil {
		idB, err = l.found[b].id(b)
	}
	return idA, idB, fault.New("look for users", fault.Permanent, err)
}

// lookup is what is known of the texts that are looked for.
type lookup struct {
	found map[string]*person
}

// person is who a text may stand for.
type person struct {
	isID bool
	ids  []string // of users of that name, at most maxSame+1
}

// maxSame is how many users of one name an error lists.
const maxSame = 10

// ids finds out which of the texts are registered ids: a question for the newest event of each one's own subject, which the
// server has at hand.
func (l *lookup) ids(ctx context.Context, js jetstream.JetStream) error {
	byID := map[string]string{} // by subject
	var subjects []string
	for text := range l.found {
		subj := subject.Of(subject.Conversation{Kind: subject.User, Name: text})
		byID[subj] = text
		subjects = append(subjects, subj)
	}
	msgs, err := jetstreamext.GetLastMsgsFor(ctx, js, eventlog.StreamName, subjects)
	if err != nil {
		return err
	}
	for msg, err := range msgs {
		if errors.Is(err, jetstreamext.ErrNoMessages) {
			return nil
		}
		if err != nil {
			return err
		}
		if text, ok := byID[msg.Subject]; ok {
			l.found[text].isID = true
		}
	}
	return nil
}

// names reads the log for users of these names, and for ids that it knows from direct messages alone.
func (l *lookup) names(ctx context.Context, js jetstream.JetStream) error {
	state, err := eventlog.Open(js).State(ctx)
	if err != nil || state.Last == 0 {
		return err
	}
	_, err = replay.Log(ctx, js, 0, state.Last, func(r replay.Record) error {
		if e, err := r.Event(); err == nil {
			l.see(&e)
		}
		return nil
	})
	return err
}

// see learns from one event.
func (l *lookup) see(e *event.Event) {
	if e.Conversation.Kind == subject.DM || e.Type == event.Registered {
		for _, id := range []string{e.Sender, e.Recipient} {
			if p := l.found[id]; p != nil {
				p.isID = true
			}
		}
	}
	if p := l.found[e.SenderName]; p != nil && e.Type == event.Registered && len(p.ids) <= maxSame && !slices.Contains(p.ids, e.Sender) {
		p.ids = append(p.ids, e.Sender)
	}
}

// id is the one id that a text stands for. A text that is an id stands for itself, whoever else has it for a name.
func (p *person) id(text string) (string, error) {
	switch {
	case p.isID:
		return text, nil
	case len(p.ids) == 0:
		return "", fmt.Errorf("--between: nobody has the id or the name %q", text)
	case len(p.ids) > maxSame:
		return "", fmt.Errorf("--between: more than %d users have the name %q: give the id, among them %s", maxSame, text, list(p.ids[:maxSame]))
	case len(p.ids) > 1:
		return "", fmt.Errorf("--between: %d users have the name %q: give the id, one of %s", len(p.ids), text, list(p.ids))
	}
	return p.ids[0], nil
}

func list(ids []string) string {
	quoted := make([]string, len(ids))
	for i, id := range ids {
		quoted[i] = fmt.Sprintf("%q", id)
	}
	return strings.Join(quoted, ", ")
}
