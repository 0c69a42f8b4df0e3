package ryzeredis

import (
	"time"

	"github.com/ryzeapi/ryze-go"
)

func wholeUntil(t time.Time) ryze.SubscribeOption { return ryze.WithBuffer(1024, 1<<20) }

func handledUntil(s *ryze.Subscription) time.Time { return time.Time{} }
