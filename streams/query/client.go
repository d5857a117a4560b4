package query

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/tidemark-chat/tidemark/streams/fault"
)

// Client asks the read model. It implements Model. An error is Temporary when
// nobody answers, or not in time, and Permanent when the question is refused.
type Client struct {
	nc *nats.Conn
}

// NewClient asks over nc, which should not be the connection that publishes.
func NewClient(nc *nats.Conn) *Client { return &Client{nc: nc} }

// After asks for events after an offset.
func (c *Client) After(ctx context.Context, r AfterRequest) (AfterReply, error) {
	return ask[AfterReply](ctx, c.nc, "after", r)
}

// Page asks for a page of a conversation.
func (c *Client) Page(ctx context.Context, r PageRequest) (PageReply, error) {
	return ask[PageReply](ctx, c.nc, "page", r)
}

// Moment asks where a conversation was at a time.
func (c *Client) Moment(ctx context.Context, r MomentRequest) (MomentReply, error) {
	return ask[MomentReply](ctx, c.nc, "moment", r)
}

// Lookup asks what an idempotency key stands for.
func (c *Client) Lookup(ctx context.Context, r LookupRequest) (LookupReply, error) {
	return ask[LookupReply](ctx, c.nc, "lookup", r)
}

// Direct asks for the newest messages of a user's direct conversations.
func (c *Client) Direct(ctx context.Context, r DirectRequest) (DirectReply, error) {
	return ask[DirectReply](ctx, c.nc, "direct", r)
}

// Users asks for users.
func (c *Client) Users(ctx context.Context, r UsersRequest) (UsersReply, error) {
	return ask[UsersReply](ctx, c.nc, "users", r)
}

// Checkpoint asks how far the read model is.
func (c *Client) Checkpoint(ctx context.Context) (Checkpoint, error) {
	return ask[Checkpoint](ctx, c.nc, "checkpoint", struct{}{})
}

func ask[Reply any](ctx context.Context, nc *nats.Conn, endpoint string, request any) (Reply, error) {
	var reply Reply
	op := "query " + endpoint
	data, err := json.Marshal(request)
	if err != nil {
		return reply, fault.New(op, fault.Permanent, err)
	}
	msg, err := nc.RequestWithContext(ctx, subjectPrefix+endpoint, data)
	if err != nil {
		return reply, fault.New(op, fault.Temporary, err)
	}
	if code := msg.Header.Get(micro.ErrorCodeHeader); code != "" {
		kind := fault.Temporary
		if code == codePermanent {
			kind = fault.Permanent
		}
		return reply, fault.New(op, kind, errors.New(msg.Header.Get(micro.ErrorHeader)))
	}
	if err := json.Unmarshal(msg.Data, &reply); err != nil {
		return reply, fault.New(op, fault.Temporary, err)
	}
	return reply, nil
}

var _ Model = (*Client)(nil)
