package ryze

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"
)

var plenty = RateLimit{Known: true, Limit: largestQuota, Remaining: largestQuota - 1}

func BenchmarkLimiterUncontended(b *testing.B) {
	l := NewMemoryLimiter(0)
	rate := plenty
	rate.Reset = time.Now().Add(time.Minute)
	b.ReportAllocs()
	for b.Loop() {
		ticket, err := l.Acquire(b.Context(), testRequest)
		if err != nil {
			b.Fatal(err)
		}
		ticket.Done(rate)
	}
}

func BenchmarkParseRateLimit(b *testing.B) {
	now := time.Now()
	h := rateHeaders("100", "57", fmt.Sprint(now.Unix()+30), now.UTC().Format(http.TimeFormat))
	var skew clockSkew
	b.ReportAllocs()
	for b.Loop() {
		parseRateLimit(h, now, &skew)
	}
}

// crowd makes n calls wait for a used up window, half of them with a deadline.
func crowd(b *testing.B, l Limiter, n int, served func(Ticket)) (leave func()) {
	b.Helper()
	probe, err := l.Acquire(b.Context(), testRequest)
	if err != nil {
		b.Fatal(err)
	}
	probe.Done(RateLimit{Known: true, Limit: largestQuota, Remaining: 0, Reset: time.Now().Add(4 * time.Minute)})
	ctx, cancel := context.WithCancel(context.Background())
	var waiting sync.WaitGroup
	for k := range n {
		waiting.Go(func() {
			ctx := ctx
			if k%2 == 0 {
				var stop context.CancelFunc
				ctx, stop = context.WithTimeout(ctx, 10*time.Minute+time.Duration(k)*time.Millisecond)
				defer stop()
			}
			if ticket, err := l.Acquire(ctx, testRequest); err == nil {
				served(ticket)
			}
		})
	}
	w := l.(*memoryLimiter).window(testKey)
	for {
		w.mu.Lock()
		waits := w.queue.len()
		w.mu.Unlock()
		if waits == n {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return func() {
		cancel()
		waiting.Wait()
	}
}

// BenchmarkLimiterCrowd measures what one call costs while others wait: to be
// refused, to come and go in their midst, and to tell what changes their waits.
func BenchmarkLimiterCrowd(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("refused/%d", n), func(b *testing.B) {
			l := NewMemoryLimiter(time.Hour)
			defer crowd(b, l, n, Ticket.Cancel)()
			ctx, cancel := context.WithTimeout(b.Context(), 3*time.Minute)
			defer cancel()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := l.Acquire(ctx, testRequest); err == nil {
					b.Fatal("it was let through")
				}
			}
		})
		b.Run(fmt.Sprintf("come-and-go/%d", n), func(b *testing.B) {
			l := NewMemoryLimiter(time.Hour)
			defer crowd(b, l, n, Ticket.Cancel)()
			req := testRequest
			req.Priority = PriorityHigh
			b.ReportAllocs()
			for b.Loop() {
				ctx, cancel := context.WithCancel(b.Context())
				time.AfterFunc(0, cancel)
				if _, err := l.Acquire(ctx, req); err == nil {
					b.Fatal("it was let through")
				}
			}
		})
		b.Run(fmt.Sprintf("news/%d", n), func(b *testing.B) {
			l := NewMemoryLimiter(time.Hour)
			defer crowd(b, l, n, Ticket.Cancel)()
			w := l.(*memoryLimiter).window(testKey)
			reset := time.Now().Add(4 * time.Minute)
			b.ReportAllocs()
			for b.Loop() {
				w.mu.Lock()
				t := w.issue(w.now())
				w.mu.Unlock()
				reset = reset.Add(time.Microsecond)
				t.Refused(RateLimit{Known: true, Limit: largestQuota, Reset: reset})
			}
		})
	}
}

// BenchmarkLimiterRelease measures what it costs the caller by whose doing a
// whole crowd may go, and each of the crowd.
func BenchmarkLimiterRelease(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var caller, all time.Duration
			for range b.N {
				l := NewMemoryLimiter(time.Hour)
				leave := crowd(b, l, n, Ticket.Cancel)
				w := l.(*memoryLimiter).window(testKey)
				began := time.Now()
				w.mu.Lock()
				w.reset, w.unlimited = w.now(), true
				w.serve(w.now())
				w.mu.Unlock()
				caller += time.Since(began)
				for w.waits() {
					time.Sleep(100 * time.Microsecond)
				}
				all += time.Since(began)
				leave()
			}
			b.ReportMetric(float64(caller.Nanoseconds())/float64(b.N), "ns/caller")
			b.ReportMetric(float64(all.Nanoseconds())/float64(b.N*n), "ns/waiter")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func (w *window) waits() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.queue.root != nil
}
