package query

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/tidemark-chat/tidemark/streams/fault"
)

const (
	serviceName    = "tidemark-query"
	serviceVersion = "1.1.0" // of this contract
	subjectPrefix  = "tidemark.query."
	// CheckpointSubject is that of the question how far the read model is.
	CheckpointSubject = subjectPrefix + "checkpoint"

	// A question that takes longer than this is given up: whoever asked it
	// has stopped waiting.
	answerTimeout = 5 * time.Second

	codePermanent = "400"
	codeTemporary = "503"
)

// Subjects are those of the questions.
func Subjects() []string {
	subjects := make([]string, 0, 7)
	for _, kind := range []string{"after", "page", "moment", "lookup", "direct", "users", "checkpoint"} {
		subjects = append(subjects, subjectPrefix+kind)
	}
	return subjects
}

// Monitoring are the subjects on which the service tells about itself: that it is
// there, what it offers and how it fares.
func Monitoring() []string {
	var subjects []string
	for _, verb := range []micro.Verb{micro.PingVerb, micro.InfoVerb, micro.StatsVerb} {
		all := micro.APIPrefix + "." + verb.String()
		subjects = append(subjects, all, all+"."+serviceName, all+"."+serviceName+".*")
	}
	return subjects
}

// Serve answers questions from model until the returned service is stopped.
// Questions of one kind are answered one after another, on the subscription's
// goroutine, which bounds what the persister does at once.
func Serve(nc *nats.Conn, model Model, log *slog.Logger) (micro.Service, error) {
	srv, err := micro.AddService(nc, micro.Config{
		Name: serviceName, Version: serviceVersion, Description: "Tidemark's read model",
		ErrorHandler: func(_ micro.Service, e *micro.NATSError) {
			log.Error("query service", "subject", e.Subject, "error", e.Description)
		},
	})
	if err != nil {
		return nil, fault.New("serve queries", fault.Temporary, err)
	}
	checkpoint := func(ctx context.Context, _ struct{}) (Checkpoint, error) { return model.Checkpoint(ctx) }
	endpoints := map[string]micro.HandlerFunc{
		"after":      answer(model.After, log),
		"page":       answer(model.Page, log),
		"moment":     answer(model.Moment, log),
		"lookup":     answer(model.Lookup, log),
		"direct":     answer(model.Direct, log),
		"users":      answer(model.Users, log),
		"checkpoint": answer(checkpoint, log),
	}
	for name, handler := range endpoints {
		if err := srv.AddEndpoint(name, handler, micro.WithEndpointSubject(subjectPrefix+name)); err != nil {
			_ = srv.Stop()
			return nil, fault.New("serve queries", fault.Temporary, err)
		}
	}
	return srv, nil
}

// answer turns a method of the model into a handler.
func answer[Request, Reply any](ask func(context.Context, Request) (Reply, error), log *slog.Logger) micro.HandlerFunc {
	return func(r micro.Request) {
		if !strings.HasPrefix(r.Reply(), nats.InboxPrefix[:len(nats.InboxPrefix)-1]) {
			// Whoever asks may not have things said in the persister's name: it may
			// publish to the stream of checkpoints, which he may not.
			log.Debug("query not answered: its answer is to go to no inbox", "reply", r.Reply())
			return
		}
		var request Request
		if len(r.Data()) > 0 {
			if err := json.Unmarshal(r.Data(), &request); err != nil {
				respond(log, r.Error(codePermanent, "not a valid request: "+err.Error(), nil))
				return
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
		defer cancel()
		reply, err := ask(ctx, request)
		switch {
		case err == nil:
			respond(log, r.RespondJSON(reply))
		case fault.Is(err, fault.Permanent):
			respond(log, r.Error(codePermanent, err.Error(), nil))
		default:
			log.Warn("query not answered", "subject", r.Subject(), "error", err)
			respond(log, r.Error(codeTemporary, err.Error(), nil))
		}
	}
}

func respond(log *slog.Logger, err error) {
	if err != nil {
		log.Warn("query reply not sent", "error", err)
	}
}
