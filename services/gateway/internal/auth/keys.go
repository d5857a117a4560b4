package auth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"

	"github.com/tidemark-chat/tidemark/streams/fault"
)

const (
	// readTimeout bounds one reading of the key set, and with it how long those
	// who connect wait for it.
	readTimeout = 3 * time.Second
	// minPause is the least time between two readings that tokens ask for.
	minPause = 5 * time.Second
	// retryPause is when a reading that failed is tried again.
	retryPause = 15 * time.Second
	// mostWaiting is how many wait for a reading at the same time. Those who identify
	// themselves are served by a bounded number of goroutines: tokens that name keys at
	// will must not take all of them while the set's source hangs.
	mostWaiting = 8
)

var (
	errTooSoon  = errors.New("the key set was read a moment ago, and the token's key is not in it")
	errCrowded  = errors.New("the token's key is not known, and enough others wait for the key set to be read")
	errReplaced = errors.New("the settings of tokens have changed meanwhile")
)

// keys are the public keys of a URL, read at an interval, and when a token names one
// that is not known. While the URL does not answer with keys, what was read last goes on.
//
// One goroutine reads, one reading at a time; close waits for it.
type keys struct {
	url     string
	refresh time.Duration
	client  *http.Client
	log     *slog.Logger
	wanted  chan struct{} // holds a value when somebody waits for a reading
	stop    context.CancelFunc
	closing <-chan struct{}
	stopped sync.WaitGroup

	mu    sync.Mutex
	set   keyfunc.Keyfunc // nil before the first reading that succeeded
	began time.Time       // when the reading began that brought set
	asked time.Time       // when a token last asked for a reading
	err   error           // what came of the newest one
	ended chan struct{}   // closed and replaced when a reading ends
	busy  bool            // one is under way

	waiting int // who waits for its end
}

// newKeys begins to read, at once.
func newKeys(url string, refresh time.Duration, client *http.Client, log *slog.Logger) *keys {
	k := &keys{
		url: url, refresh: refresh, client: client, log: log,
		wanted: make(chan struct{}, 1), ended: make(chan struct{}), busy: true,
	}
	ctx, cancel := context.WithCancel(context.Background())
	k.stop, k.closing = cancel, ctx.Done()
	k.stopped.Go(func() { k.run(ctx) })
	return k
}

func (k *keys) close() {
	k.stop()
	k.stopped.Wait()
	k.client.CloseIdleConnections()
}

func (k *keys) inherit(from *keys) {
	from.mu.Lock()
	set, began := from.set, from.began
	from.mu.Unlock()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.set == nil {
		k.set, k.began = set, began
	}
}

// run reads at the interval and when it is asked to, until ctx ends.
func (k *keys) run(ctx context.Context) {
	for ctx.Err() == nil {
		again := k.refresh
		if err := k.readNow(ctx); err != nil && ctx.Err() == nil {
			k.log.Warn("the key set of tokens could not be read", "url", k.url, "error", err)
			again = min(again, retryPause)
		}
		timer := time.NewTimer(again)
		select {
		case <-timer.C:
		case <-k.wanted:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

func (k *keys) readNow(ctx context.Context) error {
	k.mu.Lock()
	began := time.Now()
	k.busy = true
	k.mu.Unlock()
	set, err := read(ctx, k.url, k.client)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err = err; err == nil {
		k.set, k.began = set, began
	}
	k.busy = false
	close(k.ended)
	k.ended = make(chan struct{})
	return err
}

// of is the key, or the keys, that a token may be signed with. It is certain that
// there is none only when the set was read after the token came.
func (k *keys) of(ctx context.Context, t *jwt.Token) (any, error) {
	came := time.Now()
	for {
		k.mu.Lock()
		set, began := k.set, k.began
		k.mu.Unlock()
		if set != nil {
			key, err := set.KeyfuncCtx(ctx)(t)
			if !errors.Is(err, jwkset.ErrKeyNotFound) || began.After(came) {
				return key, err
			}
		}
		if err := k.await(ctx); err != nil {
			return nil, fault.New("look for a token's key", fault.Temporary, err)
		}
	}
}

// await waits for the end of the reading that is under way, or of a new one. It is an
// error if there is none soon, or it failed, or if too many wait.
func (k *keys) await(ctx context.Context) error {
	k.mu.Lock()
	ended := k.ended
	switch {
	case k.waiting == mostWaiting:
		k.mu.Unlock()
		return errCrowded
	case k.busy:
	case time.Since(k.asked) < minPause:
		err := k.err
		k.mu.Unlock()
		if err == nil {
			err = errTooSoon
		}
		return err
	default:
		k.busy, k.asked = true, time.Now() // as soon as run gets there
		select {
		case k.wanted <- struct{}{}:
		default:
		}
	}
	k.waiting++
	k.mu.Unlock()
	var err error
	select {
	case <-ended:
	case <-ctx.Done():
		err = ctx.Err()
	case <-k.closing:
		err = errReplaced
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.waiting--
	if err == nil {
		err = k.err
	}
	return err
}
