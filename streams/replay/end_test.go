package replay

import (
	"context"
	"errors"
	"testing"
)

func TestAnEndIsBelievedOnlyOfTheLeader(t *testing.T) {
	down := errors.New("down")
	for _, test := range []struct {
		next    uint64 // what the leader has next
		err     error
		want    error
		missing uint64
	}{
		{0, nil, nil, 6},
		{11, nil, nil, 6},
		{10, nil, errBehind, 0},
		{5, nil, errBehind, 0},
		{0, down, down, 0},
	} {
		r := &reader{reached: 4, through: 10, next: func(_ context.Context, offset uint64) (uint64, error) {
			if offset != 5 {
				t.Errorf("asked for %d", offset)
			}
			return test.next, test.err
		}}
		reached := uint64(10)
		if test.want != nil {
			reached = 4
		}
		if err := r.end(t.Context()); !errors.Is(err, test.want) || r.missing != test.missing || r.reached != reached {
			t.Errorf("%+v: %v, %d missing, reached %d", test, err, r.missing, r.reached)
		}
	}
}
