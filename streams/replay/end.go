package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
)

var (
	errBehind = errors.New("the consumer stops before the end of the log")
	errLeader = errors.New("ask the log's leader")
)

// end notes that the span holds nothing more, if that is so. That a consumer has nothing more does not show it: it reads from
// one replica, which may be behind, and where the last message has become unreadable it says nothing at all.
func (r *reader) end(ctx context.Context) error {
	next, err := r.next(ctx, r.reached+1)
	if err != nil {
		return fmt.Errorf("%w what follows %d: %w", errLeader, r.reached, err)
	}
	if next != 0 && next <= r.through {
		return errBehind
	}
	r.missing, r.reached = r.through-r.reached, r.through
	return nil
}

// askLeader is the offset of the first message from an offset on, 0 if there is none, by the stream's leader.
func (r *reader) askLeader(ctx context.Context, offset uint64) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request := fmt.Appendf(nil, `{"seq":%d,"next_by_subj":">"}`, offset)
	message, err := r.js.Conn().RequestWithContext(ctx, jetstream.DefaultAPIPrefix+"STREAM.MSG.GET."+eventlog.StreamName, request)
	if err != nil {
		return 0, err
	}
	var answer struct {
		Error   *jetstream.APIError `json:"error"`
		Message struct {
			Sequence uint64 `json:"seq"`
		} `json:"message"`
	}
	if err := json.Unmarshal(message.Data, &answer); err != nil {
		return 0, err
	}
	if answer.Error != nil && answer.Error.ErrorCode == jetstream.JSErrCodeMessageNotFound {
		return 0, nil
	}
	if answer.Error != nil {
		return 0, answer.Error
	}
	return answer.Message.Sequence, nil
}
