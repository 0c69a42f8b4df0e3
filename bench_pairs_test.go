package ryze

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// BenchmarkSendPairs compares the times of [BenchmarkSendText] where other
// programs run beside it: small batches by hand and through the SDK take turns,
// and it reports the median of the ratios of two neighbours.
//
//	go test -run '^$' -bench SendPairs -benchtime 120x .
func BenchmarkSendPairs(b *testing.B) {
	for _, protocol := range []string{"HTTP1", "HTTP2"} {
		for _, goroutines := range []int{1, 64} {
			b.Run(protocol+"/goroutines="+strconv.Itoa(goroutines), func(b *testing.B) {
				server, client := quotaServer(b, protocol == "HTTP2")
				c, err := New(WithBaseURL(server.URL), WithHTTPClient(client))
				if err != nil {
					b.Fatal(err)
				}
				defer func() { _ = c.Close() }()
				inst := c.Instance("support-line", "token")
				byHand := func(ctx context.Context) error {
					return sendByHand(ctx, client, server.URL, "support-line", "token", "5511987654321", "Hello")
				}
				bySDK := func(ctx context.Context) error {
					_, err := inst.Messages.SendText(ctx, "5511987654321", "Hello")
					return err
				}
				var ratios []float64
				for b.Loop() {
					var hand, sdk time.Duration
					if len(ratios)%2 == 0 { // none is always the first
						hand, sdk = batch(b, goroutines, byHand), batch(b, goroutines, bySDK)
					} else {
						sdk, hand = batch(b, goroutines, bySDK), batch(b, goroutines, byHand)
					}
					ratios = append(ratios, float64(sdk)/float64(hand))
				}
				slices.Sort(ratios)
				b.ReportMetric(ratios[len(ratios)/2], "times-by-hand")
			})
		}
	}
}

// batch says how long some hundred calls take in so many goroutines.
func batch(b *testing.B, goroutines int, call func(context.Context) error) time.Duration {
	b.Helper()
	began := time.Now()
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			for range max(256/goroutines, 16) {
				if err := call(b.Context()); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	return time.Since(began)
}
