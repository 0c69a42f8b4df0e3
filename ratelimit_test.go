package ryze_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sendMany makes n sends by workers through client and returns how long that
// took in virtual time and how many of the requests met a 429.
func sendMany(t *testing.T, sim *ryzetest.Server, handles []*InstanceClient, workers, n int) (took time.Duration, refused int) {
	t.Helper()
	var next, failed atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	for w := range workers {
		wg.Go(func() {
			for next.Add(1) <= int64(n) {
				if _, err := handles[w%len(handles)].Messages.SendText(context.Background(), "5511987654321", "hi"); err != nil {
					failed.Add(1)
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	took = time.Since(began)
	for _, r := range sim.Requests() {
		if r.Status == http.StatusTooManyRequests {
			refused++
		}
	}
	require.Zero(t, failed.Load())
	return took, refused
}

// idealTime is how long n requests take at 100 a minute when none is wasted:
// the first hundred go at once.
func idealTime(n int) time.Duration { return time.Duration((n-1)/100) * time.Minute }

func within(t *testing.T, ideal, took time.Duration, percent float64) {
	t.Helper()
	assert.GreaterOrEqual(t, took, ideal, "faster than the quota allows: the simulator did not meter")
	assert.LessOrEqual(t, took.Seconds(), ideal.Seconds()*(1+percent/100), "ideal %v, took %v", ideal, took)
}

func TestQuotaIsUsedToTheLastRequestAndNoFurther(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		opts []ryzetest.Option
	}{
		{"plain", nil},
		{"clock of the service five minutes ahead", []ryzetest.Option{ryzetest.WithClockSkew(5 * time.Minute)}},
		{"clock of the service five minutes behind", []ryzetest.Option{ryzetest.WithClockSkew(-5 * time.Minute)}},
		{"reset as a delay", []ryzetest.Option{ryzetest.WithRelativeReset()}},
		{"no headers at all", []ryzetest.Option{ryzetest.WithoutRateHeaders()}},
	} {
		t.Run(c.name, func(t *testing.T) {
			simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
				a := paired(t, sim, client, "a")
				took, refused := sendMany(t, sim, []*InstanceClient{a}, 64, 1000)
				assert.Zero(t, refused, "429s")
				within(t, idealTime(1000), took, 2)
				assert.Len(t, sim.Instance("a").Sent(), 1000)
			}, c.opts...)
		})
	}
}

func TestHandlesOfOneTokenShareItsWindow(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		a := paired(t, sim, client, "a")
		again := client.Instance("a", sim.Instance("a").Token())
		took, refused := sendMany(t, sim, []*InstanceClient{a, again}, 64, 300)
		assert.Zero(t, refused)
		within(t, idealTime(300), took, 5)
	})
}

func TestTokensHaveWindowsOfTheirOwn(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		a, b := paired(t, sim, client, "a"), paired(t, sim, client, "b")
		var wg sync.WaitGroup
		for _, inst := range []*InstanceClient{a, b} {
			wg.Go(func() {
				took, refused := sendMany(t, sim, []*InstanceClient{inst}, 32, 100)
				assert.Zero(t, refused)
				assert.Less(t, took, time.Minute, "each token has a hundred requests in the first minute")
			})
		}
		wg.Wait()
	})
}

func TestCreationsHaveAClassBesideTheOther(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		account := client.Account(sim.AccountToken)
		began := time.Now()
		var wg sync.WaitGroup
		for i := range 60 {
			wg.Go(func() {
				_, err := account.CreateInstance(context.Background(), CreateInstanceParams{Name: fmt.Sprint("i", i)})
				assert.NoError(t, err)
			})
			wg.Go(func() {
				_, err := account.ListInstances(context.Background())
				assert.NoError(t, err)
			})
		}
		wg.Wait()
		assert.GreaterOrEqual(t, time.Since(began), 2*time.Minute, "60 creations at 20 a minute")
		assert.Less(t, time.Since(began), 2*time.Minute+5*time.Second)
		for _, r := range sim.Requests() {
			require.NotEqual(t, http.StatusTooManyRequests, r.Status)
		}
	}, ryzetest.WithQuota(1000))
}

func TestAStrangerOnTheTokenCostsWaitsNotFailures(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		a := paired(t, sim, client, "a")
		sim.SetStranger(0.3)
		took, refused := sendMany(t, sim, []*InstanceClient{a}, 64, 500)
		assert.Len(t, sim.Instance("a").Sent(), 500, "each message once")
		assert.Less(t, took, 12*time.Minute)
		assert.Less(t, refused, 100, "429s are absorbed, not provoked")
	})
}

func TestWaitBeyondTheDeadlineFailsAtOnce(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		a := paired(t, sim, client, "a")
		sendMany(t, sim, []*InstanceClient{a}, 10, 100)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began, requests := time.Now(), len(sim.Requests())

		_, err := a.Messages.SendText(ctx, "5511987654321", "hi")

		var limited *RateLimitError
		require.ErrorAs(t, err, &limited)
		require.ErrorIs(t, err, ErrRateLimited)
		assert.NotErrorIs(t, err, ErrOutcomeUnknown)
		assert.Equal(t, "messages.text", limited.Operation)
		assert.True(t, limited.RetryAt.After(time.Now()))
		assert.Zero(t, time.Since(began), "it waited")
		assert.Len(t, sim.Requests(), requests, "no request was made")
	})
}

func TestWaitEndsWithTheContext(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		a := paired(t, sim, client, "a")
		sendMany(t, sim, []*InstanceClient{a}, 10, 100)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			_, err := a.Messages.SendText(ctx, "5511987654321", "hi")
			done <- err
		}()
		synctest.Wait()
		cancel()
		err := <-done
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, ErrRateLimited)
	})
}

func TestRateLimitIsReadableEverywhere(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		a := paired(t, sim, client, "a")
		sent, err := a.Messages.SendText(t.Context(), "5511987654321", "hi")
		require.NoError(t, err)
		assert.Equal(t, 99, sent.RateLimit.Remaining)
		assert.Equal(t, 99, a.RateLimit().Remaining)
		assert.Equal(t, a.RateLimit(), client.RateLimit(sim.Instance("a").Token(), RateGlobal))

		_, err = client.Instance("nobody", sim.AccountToken).Messages.SendText(t.Context(), "5511987654321", "hi")
		var api *APIError
		require.ErrorAs(t, err, &api)
		assert.Equal(t, 99, api.RateLimit.Remaining)
	})
}
