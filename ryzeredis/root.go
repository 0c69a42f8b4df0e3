package ryzeredis

import (
	"time"

	"github.com/ryzeapi/ryze-go"
)

// wholeUntil and handledUntil are what the streams of the root know of holes.
func wholeUntil(t time.Time) ryze.SubscribeOption { return ryze.WithWholeUntil(t) }

func handledUntil(s *ryze.Subscription) time.Time { return s.WholeUntil() }
