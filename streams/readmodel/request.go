package readmodel

import (
	"errors"
	"math"
	"slices"
	"time"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// maxOffset is the largest offset an SQL integer holds; no log gets there.
const maxOffset = math.MaxInt64

// CheckAfter refuses (Permanent) what cannot be answered and otherwise returns
// the request with its limit filled in and each conversation named once.
func CheckAfter(r query.AfterRequest) (query.AfterRequest, error) {
	const op = "events after an offset"
	if len(r.Conversations) > query.MaxConversations {
		return r, fault.Errorf(op, fault.Permanent, "%d conversations are more than %d", len(r.Conversations), query.MaxConversations)
	}
	seen := make(map[subject.Conversation]bool, len(r.Conversations))
	unique := make([]subject.Conversation, 0, len(r.Conversations))
	for _, c := range r.Conversations {
		if err := checkTopic(c); err != nil {
			return r, fault.New(op, fault.Permanent, err)
		}
		if !seen[c] {
			seen[c] = true
			unique = append(unique, c)
		}
	}
	limit, err := checkLimit(r.Limit)
	if err != nil {
		return r, fault.New(op, fault.Permanent, err)
	}
	return query.AfterRequest{Conversations: unique, Offset: min(r.Offset, maxOffset), Limit: limit}, nil
}

// CheckPage is CheckAfter's twin for a page. In what it returns Before is never 0.
func CheckPage(r query.PageRequest) (query.PageRequest, error) {
	const op = "page of a conversation"
	if err := checkConversation(r.Conversation); err != nil {
		return r, fault.New(op, fault.Permanent, err)
	}
	limit, err := checkLimit(r.Limit)
	if err != nil {
		return r, fault.New(op, fault.Permanent, err)
	}
	if r.Before == 0 || r.Before > maxOffset {
		r.Before = maxOffset
	}
	r.Limit = limit
	return r, nil
}

// latest is the latest time that a row can hold: in the year 2262.
var latest = time.Unix(0, math.MaxInt64)

// CheckMoment is CheckAfter's twin for a moment. In what it returns At is a time
// that Nanoseconds can express.
func CheckMoment(r query.MomentRequest) (query.MomentRequest, error) {
	const op = "moment of a conversation"
	if err := checkConversation(r.Conversation); err != nil {
		return r, fault.New(op, fault.Permanent, err)
	}
	r.At = r.At.UTC()
	if year := r.At.Year(); year < 1970 || year > 9999 {
		return r, fault.Errorf(op, fault.Permanent, "the year %d is not 1970 to 9999", year)
	}
	if r.At.After(latest) {
		r.At = latest
	}
	return r, nil
}

// CheckLookup refuses a lookup without a key: events without one are many.
func CheckLookup(r query.LookupRequest) error {
	if r.Key == "" {
		return fault.New("look up a key", fault.Permanent, errors.New("no key"))
	}
	return nil
}

// CheckDirect refuses a question about nobody, or about too much.
func CheckDirect(r query.DirectRequest) error {
	const op = "direct conversations"
	switch {
	case r.User == "":
		return fault.New(op, fault.Permanent, errors.New("no user"))
	case r.Conversations < 1 || r.Conversations > query.MaxConversations:
		return fault.Errorf(op, fault.Permanent, "%d conversations are not 1 to %d", r.Conversations, query.MaxConversations)
	case r.Messages < 1 || r.Messages > query.MaxEvents:
		return fault.Errorf(op, fault.Permanent, "%d messages are not 1 to %d", r.Messages, query.MaxEvents)
	}
	return nil
}

// CheckUsers refuses a question about too many users, or about none.
func CheckUsers(r query.UsersRequest) error {
	const op = "users"
	switch {
	case len(r.IDs) > query.MaxUsers:
		return fault.Errorf(op, fault.Permanent, "%d ids are more than %d", len(r.IDs), query.MaxUsers)
	case len(r.IDs) == 0 && (r.Newest < 1 || r.Newest > query.MaxUsers):
		return fault.Errorf(op, fault.Permanent, "%d users are not 1 to %d", r.Newest, query.MaxUsers)
	}
	return nil
}

// checkTopic accepts a conversation or an inbox.
func checkTopic(c subject.Conversation) error {
	if user, inbox := c.InboxOf(); inbox && user != "" {
		return nil
	}
	return checkConversation(c)
}

func checkConversation(c subject.Conversation) error {
	kinds := []subject.Kind{subject.Room, subject.DM, subject.User}
	if c.Name == "" || !slices.Contains(kinds, c.Kind) {
		return errors.New("a conversation needs a kind (room, dm or user) and a name")
	}
	return nil
}

func checkLimit(limit int) (int, error) {
	switch {
	case limit < 0 || limit > query.MaxEvents:
		return 0, errors.New("the limit is out of range")
	case limit == 0:
		return query.MaxEvents, nil
	}
	return limit, nil
}
