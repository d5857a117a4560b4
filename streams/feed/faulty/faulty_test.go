package faulty

import (
	"context"
	"slices"
	"testing"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/feed"
)

// numbered is a feed of three events around a multiple of Every, each with its offset as content.
type numbered struct{}

func (numbered) Run(_ context.Context, _ uint64, apply func(feed.Record)) error {
	for i, content := range []string{"before", "it", "next", "after"} {
		apply(feed.Record{Event: event.Event{Offset: Every - 1 + uint64(i), Content: content}})
	}
	return nil
}

func TestEachKindIsWrongInItsWay(t *testing.T) {
	for kind, want := range map[Kind][]string{
		Drop:   {"before", "-", "next", "after"},
		Double: {"before", "it", "it", "after"},
		Swap:   {"before", "next", "it", "after"},
	} {
		var got []string
		offset := uint64(Every - 1)
		err := Wrap(numbered{}, kind).Run(t.Context(), 0, func(r feed.Record) {
			if r.Event.Offset != offset {
				t.Errorf("%s: offset %d, want %d", kind, r.Event.Offset, offset)
			}
			offset++
			if r.Damaged != nil {
				r.Event.Content = "-"
			}
			got = append(got, r.Event.Content)
		})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v, want %q", kind, got, err, want)
		}
	}
}

func TestAnUnknownKindDoesNotRun(t *testing.T) {
	err := Wrap(numbered{}, "delay").Run(t.Context(), 0, func(feed.Record) { t.Error("something was applied") })
	if err == nil {
		t.Error("it ran")
	}
}
