package render

import (
	"bufio"
	"strconv"
	"strings"

	"github.com/tidemark-chat/tidemark/services/auditor/record"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// textWriter writes lines for people.
//
//	4711  2026-11-21T17:31:05.042Z  #general alice: hello
//	4712  2026-11-21T17:31:06.120Z  #general (guest): hi
//	4713  2026-11-21T17:31:07.000Z  alice -> bob: psst
//	4714  2026-11-21T17:31:08.311Z  [user.registered] carol, id 019a...
//	4715  2026-11-21T17:31:09.311Z  [message.edited, schema 2, not checked] #general alice: hello!
//	4716  2026-11-21T17:31:09.900Z  [damaged: the digest does not fit the event] #general alice: hellp
//
// Brackets, parentheses and arrows are the writer's own: a name that holds any is written in quotes.
type textWriter struct {
	out   *bufio.Writer
	names names
}

func newText(out *bufio.Writer) *textWriter { return &textWriter{out: out, names: names{}} }

func (w *textWriter) Flush() error { return w.out.Flush() }

// timeLayout is UTC to the millisecond.
const timeLayout = "2006-01-02T15:04:05.000Z"

func (w *textWriter) Write(r *record.Record) error {
	if r.Damaged == "" && r.Schema == event.Schema { // else nobody knows who said so
		w.names.learn(r.From, r.Username)
	}
	b := w.out.AvailableBuffer()
	b = appendPadded(b, r.Offset)
	b = r.At.UTC().AppendFormat(append(b, "  "...), timeLayout)
	b = append(b, "  "...)
	b = appendMarks(b, r)
	if r.Type == string(event.Registered) && r.Schema == event.Schema {
		b = w.appendRegistered(b, r)
	} else {
		b = w.appendPlace(b, r)
		b = appendVisible(append(b, ": "...), r.Content, 0)
	}
	_, err := w.out.Write(append(b, '\n'))
	return err
}

// appendPadded keeps the columns in line up to a hundred million events.
func appendPadded(b []byte, offset uint64) []byte {
	for n := uint64(10_000_000); n > offset && n > 1; n /= 10 {
		b = append(b, ' ')
	}
	return strconv.AppendUint(b, offset, 10)
}

// appendMarks says what is unusual about an event.
func appendMarks(b []byte, r *record.Record) []byte {
	if r.Damaged != "" {
		b = appendVisible(append(b, "[damaged: "...), r.Damaged, ']')
		b = append(b, "] "...)
	}
	if r.Type == string(event.Posted) && r.Schema == event.Schema || r.Type == "" {
		return b
	}
	b = appendVisible(append(b, '['), r.Type, ']')
	if r.Schema != event.Schema {
		b = strconv.AppendInt(append(b, ", schema "...), int64(r.Schema), 10)
	}
	if r.Schema > event.Schema {
		b = append(b, ", not checked"...)
	}
	return append(b, "] "...)
}

func (w *textWriter) appendRegistered(b []byte, r *record.Record) []byte {
	return appendName(append(appendName(b, r.Username), ", id "...), r.From)
}

// appendPlace says where and by whom.
func (w *textWriter) appendPlace(b []byte, r *record.Record) []byte {
	kind, name, _ := strings.Cut(r.Conversation, ":")
	switch subject.Kind(kind) {
	case subject.DM:
		b = w.appendWho(b, r)
		return w.names.append(append(b, " -> "...), r.To)
	case subject.Room:
		b = appendName(append(b, '#'), name)
	case "":
		b = append(b, "(nowhere)"...)
	default:
		b = appendName(b, r.Conversation)
	}
	return w.appendWho(append(b, ' '), r)
}

func (w *textWriter) appendWho(b []byte, r *record.Record) []byte {
	switch {
	case r.From == "" && r.Username == "":
		return append(b, "(guest)"...)
	case r.From == "":
		return append(appendName(b, r.Username), " (guest)"...)
	case r.Username == "":
		return appendName(b, r.From)
	}
	return appendName(b, r.Username)
}

// names are the names of users, by id, as far as events have told them.
type names map[string]string

// maxNames bounds the memory. When there are more, all are forgotten, and ids are written until names are told again.
const maxNames = 100_000

func (n names) learn(id, name string) {
	if id == "" || name == "" || n[id] == name {
		return
	}
	if len(n) >= maxNames {
		clear(n)
	}
	n[strings.Clone(id)] = strings.Clone(name)
}

func (n names) append(b []byte, id string) []byte {
	if name, ok := n[id]; ok {
		return appendName(b, name)
	}
	return appendName(b, id)
}
