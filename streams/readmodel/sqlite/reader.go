package sqlite

import (
	"context"

	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

// OpenReader opens a file so that nothing can be written to it. It must exist.
func OpenReader(ctx context.Context, path string) (readmodel.Reader, error) { panic("not yet") }
