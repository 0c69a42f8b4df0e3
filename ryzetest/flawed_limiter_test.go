package ryzetest_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

func TestSuiteFindsFlawsOfALimiter(t *testing.T) {
	findsFlaws(t, map[string]string{
		"ignores the quota":             "no request goes beyond the quota",
		"keeps one back":                "a window is used to its last request",
		"ignores the headers":           "the headers say what remains",
		"believes late replies":         "a reply that comes late never raises what remains",
		"forgets silent replies":        "a reply without headers counts as used",
		"waits for silent replies":      "replies without headers leave nothing unused",
		"goes before Reset":             "a window starts anew at Reset and not before",
		"knows no unlimited":            "a window without a limit lets everything go",
		"tells nothing":                 "Rate tells what is known",
		"has one window for all":        "windows of other tokens and classes are not touched",
		"has one window for a token":    "windows of other tokens and classes are not touched",
		"ignores refusals":              "a 429 holds the window until Reset",
		"guesses always the same":       "a 429 without Reset holds for a second, then longer",
		"ignores MaxWait":               "a wait beyond MaxWait is refused at once",
		"ignores the deadline":          "a wait beyond the deadline is refused at once",
		"does not look again":           "a wait that becomes too long is refused then",
		"counts what was cancelled":     "Cancel gives the request back",
		"counts the last word":          "Cancel after Done gives nothing back",
		"wakes nobody":                  "Cancel lets a waiter go",
		"grants to an ended context":    "a context that has ended takes nothing",
		"waits on":                      "a wait ends with its context",
		"hides the context's error":     "a wait ends with its context",
		"grants to who has gone":        "a waiter that gives up leaves its place to the next",
		"loses a request that is late":  "a context that ends as the request is granted loses nothing",
		"serves the last first":         "waiters go in the order in which they came",
		"ignores Priority":              "a higher Priority goes first",
		"ignores Since":                 "an earlier Since goes first",
		"looks at Since first":          "Priority counts before Since",
		"tells nobody of waits":         "OnWait tells of a wait once, as it begins",
		"tells of waits that are none":  "OnWait tells of a wait once, as it begins",
		"ignores Reserve":               "Reserve leaves requests to others",
		"keeps all of a Reserve":        "Reserve keeps at most half of a window",
		"serves one caller at a time":   "who waits for more than its Reserve holds up nobody urgent",
		"refuses while others wait":     "who does not wait goes before those behind it",
		"refuses while others ask":      "who does not wait is refused for nobody that goes",
		"looks and takes in two steps":  "many callers at once get the quota and no more",
		"lets all go in the new window": "many callers that wait are served by the windows that follow",
	}, func(t *testing.T, flaw string) {
		t.Helper()
		ryzetest.TestLimiter(t, func() ryze.Limiter {
			if flaw == "believes late replies" || flaw == "looks and takes in two steps" || flaw == "goes before Reset" || flaw == "lets all go in the new window" {
				return &simpleLimiter{flaw: flaw, windows: make(map[ryze.LimiterKey]*simpleWindow)}
			}
			return &flawedLimiter{flaw: flaw, right: ryze.NewMemoryLimiter(0), one: make(chan struct{}, 1)}
		}, ryzetest.LimiterRules{Within: inBubble})
	})
}

// flawedLimiter is the limiter of memory with one fault.
type flawedLimiter struct {
	flaw  string
	right ryze.Limiter
	one   chan struct{} // taken by the caller that is served
	waits atomic.Int32
	mu    sync.Mutex
	calls int
}

func (l *flawedLimiter) key(key ryze.LimiterKey) ryze.LimiterKey {
	switch l.flaw {
	case "has one window for all":
		return ryze.LimiterKey{}
	case "has one window for a token":
		key.Class = ryze.RateGlobal
	}
	return key
}

func (l *flawedLimiter) Rate(key ryze.LimiterKey) ryze.RateLimit {
	if l.flaw == "tells nothing" {
		return ryze.RateLimit{}
	}
	return l.right.Rate(l.key(key))
}

func (l *flawedLimiter) Acquire(ctx context.Context, req ryze.LimiterRequest) (ryze.Ticket, error) {
	l.mu.Lock()
	l.calls++
	calls := l.calls
	l.mu.Unlock()
	req.LimiterKey = l.key(req.LimiterKey)
	asked := ctx
	switch l.flaw {
	case "ignores the quota":
		return unmetered{}, nil
	case "keeps one back":
		req.Reserve++
	case "ignores MaxWait":
		req.MaxWait = time.Hour
	case "ignores the deadline":
		if _, ok := ctx.Deadline(); ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithCancel(context.WithoutCancel(ctx))
			defer cancel()
			defer context.AfterFunc(asked, cancel)()
		}
	case "does not look again":
		if req.MaxWait == 5*time.Second && l.right.Rate(req.LimiterKey).Exhausted() {
			ticket, err := l.right.Acquire(ctx, ryze.LimiterRequest{LimiterKey: req.LimiterKey, MaxWait: time.Hour})
			return l.flawed(ticket, err)
		}
	case "serves one caller at a time":
		select {
		case l.one <- struct{}{}:
			defer func() { <-l.one }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	case "refuses while others wait":
		if req.MaxWait <= 0 && l.waits.Load() > 0 {
			return nil, &ryze.RateLimitError{RetryAt: time.Now()}
		}
		l.waits.Add(1)
		defer l.waits.Add(-1)
	case "refuses while others ask":
		select {
		case l.one <- struct{}{}:
			time.Sleep(time.Millisecond)
			<-l.one
		default:
			return nil, &ryze.RateLimitError{RetryAt: time.Now()}
		}
	case "grants to an ended context":
		if ctx.Err() != nil {
			ctx = context.Background()
		}
	case "waits on":
		if ctx.Err() == nil {
			ctx = context.WithoutCancel(ctx)
		}
	case "serves the last first":
		if req.Since.IsZero() {
			req.Since = time.Unix(0, 0).Add(-time.Duration(calls) * time.Hour)
		}
	case "ignores Priority":
		req.Priority = 0
	case "ignores Since":
		req.Since = time.Time{}
	case "looks at Since first":
		if !req.Since.IsZero() {
			req.Priority = 1 << 20
		}
	case "tells nobody of waits":
		req.OnWait = nil
	case "tells of waits that are none":
		if req.OnWait != nil {
			req.OnWait(time.Second)
			req.OnWait = nil
		}
	case "ignores Reserve":
		req.Reserve = 0
	case "keeps all of a Reserve":
		if remaining := l.right.Rate(req.LimiterKey); remaining.Known && remaining.Remaining <= req.Reserve {
			return nil, &ryze.RateLimitError{RetryAt: remaining.Reset}
		}
	case "grants to who has gone", "loses a request that is late":
		type grant struct {
			ticket ryze.Ticket
			err    error
		}
		granted := make(chan grant, 1)
		inner := context.WithoutCancel(ctx)
		if l.flaw == "loses a request that is late" {
			inner = ctx
		}
		go func() {
			ticket, err := l.right.Acquire(inner, req)
			time.Sleep(time.Millisecond) // the way back from a server
			granted <- grant{ticket, err}
		}()
		select {
		case g := <-granted:
			return l.flawed(g.ticket, g.err)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	ticket, err := l.right.Acquire(ctx, req)
	if err != nil && ctx.Err() != nil && l.flaw == "hides the context's error" {
		return nil, &ryze.RateLimitError{RetryAt: time.Now()}
	}
	return l.flawed(ticket, err)
}

func (l *flawedLimiter) flawed(ticket ryze.Ticket, err error) (ryze.Ticket, error) {
	if err != nil {
		return nil, err
	}
	return flawedTicket{ticket, l.flaw}, nil
}

type flawedTicket struct {
	right ryze.Ticket
	flaw  string
}

func (t flawedTicket) Done(rate ryze.RateLimit) {
	switch {
	case t.flaw == "ignores the headers" && rate.Remaining == 1:
		rate = ryze.RateLimit{}
	case t.flaw == "knows no unlimited" && rate.Unlimited():
		rate = ryze.RateLimit{}
	case (t.flaw == "waits for silent replies" || t.flaw == "counts the last word") && !rate.Known:
		return
	case t.flaw == "forgets silent replies" && !rate.Known:
		t.right.Cancel()
		return
	}
	t.right.Done(rate)
}

func (t flawedTicket) Refused(rate ryze.RateLimit) {
	switch {
	case t.flaw == "ignores refusals":
		t.right.Done(rate)
		return
	case t.flaw == "guesses always the same" && rate.Reset.IsZero():
		rate.Reset = time.Now().Add(1100 * time.Millisecond)
	}
	t.right.Refused(rate)
}

func (t flawedTicket) Cancel() {
	switch t.flaw {
	case "counts what was cancelled":
		t.right.Done(ryze.RateLimit{})
	case "wakes nobody":
		time.AfterFunc(2*time.Second, t.right.Cancel)
	default:
		t.right.Cancel()
	}
}

type unmetered struct{}

func (unmetered) Done(ryze.RateLimit)    {}
func (unmetered) Refused(ryze.RateLimit) {}
func (unmetered) Cancel()                {}

// simpleLimiter is what one writes in the first hour.
type simpleLimiter struct {
	flaw    string
	mu      sync.Mutex
	windows map[ryze.LimiterKey]*simpleWindow
}

type simpleWindow struct {
	limiter *simpleLimiter
	rate    ryze.RateLimit
}

func (l *simpleLimiter) window(key ryze.LimiterKey) *simpleWindow {
	if l.windows[key] == nil {
		l.windows[key] = &simpleWindow{limiter: l}
	}
	return l.windows[key]
}

func (l *simpleLimiter) Rate(key ryze.LimiterKey) ryze.RateLimit {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.window(key).rate
}

func (l *simpleLimiter) Acquire(ctx context.Context, req ryze.LimiterRequest) (ryze.Ticket, error) {
	for {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		l.mu.Lock()
		w := l.window(req.LimiterKey)
		reset := w.rate.Reset
		if l.flaw == "goes before Reset" {
			reset = reset.Add(-100 * time.Millisecond)
		}
		if w.rate.Known && !time.Now().Before(reset) {
			w.rate = ryze.RateLimit{}
		}
		ok := !w.rate.Known || w.rate.Remaining > 0
		if ok && l.flaw == "looks and takes in two steps" {
			l.mu.Unlock()
			time.Sleep(time.Millisecond)
			l.mu.Lock()
		}
		if ok {
			w.rate.Remaining--
		}
		l.mu.Unlock()
		switch {
		case ok:
			return simpleTicket{w}, nil
		case time.Until(reset) > req.MaxWait:
			return nil, &ryze.RateLimitError{RetryAt: reset}
		}
		time.Sleep(10 * time.Millisecond)
	}
}

type simpleTicket struct{ window *simpleWindow }

func (t simpleTicket) Done(rate ryze.RateLimit) {
	t.window.limiter.mu.Lock()
	defer t.window.limiter.mu.Unlock()
	if rate.Known {
		t.window.rate = rate
	}
}

func (t simpleTicket) Refused(rate ryze.RateLimit) {
	rate.Known, rate.Remaining = true, 0
	t.Done(rate)
}

func (t simpleTicket) Cancel() {
	t.window.limiter.mu.Lock()
	defer t.window.limiter.mu.Unlock()
	t.window.rate.Remaining++
}
