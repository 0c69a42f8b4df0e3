package ryzeredis

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"
)

// lookAgain has the client of a cluster ask who has the slots now, when a request has
// failed without an answer. By itself it does so once a minute, and would not find the
// replica that has taken over before.
func lookAgain(client redis.UniversalClient, err error) {
	var answer redis.Error
	if err == nil || errors.Is(err, context.Canceled) || errors.As(err, &answer) {
		return
	}
	if c, ok := client.(interface{ ReloadState(ctx context.Context) }); ok {
		c.ReloadState(context.Background()) // in a goroutine of its own, one at a time
	}
}
