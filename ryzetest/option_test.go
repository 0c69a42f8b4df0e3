package ryzetest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInstanceTokensComeFromTheNameUnlessTheyAreTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start(t, InMemory(), WithInstanceTokens(func(name string) string {
			return map[string]string{"a": "token-a", "b": "token-b", "clash": "token-a"}[name]
		}))
		assert.Equal(t, "token-a", s.AddInstance("a").Token())
		assert.Equal(t, "token-b", c.do("POST", "/api/instance/new", `{"name":"b"}`).at("instance", "token"))
		assert.Equal(t, "mine", c.do("POST", "/api/instance/new", `{"name":"c","token":"mine"}`).at("instance", "token"))
		for _, name := range []string{"clash", "none"} {
			assert.Len(t, s.AddInstance(name).Token(), 36, name)
		}
	})
}

func TestWithReceiptsHoldsForEveryNewInstance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start(t, InMemory(), WithReceipts(Receipts{Delivered: time.Minute, Read: -1}))
		i := s.AddInstance("a")
		i.Pair("")
		id := c.sent("5511987654321", "hello")
		s.Advance(59 * time.Second)
		m, _ := i.Message(id)
		assert.Equal(t, "sent", m.Status)
		s.Advance(time.Hour)
		m, _ = i.Message(id)
		assert.Equal(t, "delivered", m.Status)
	})
}

func TestWithoutHTTP2SpeaksHTTP1Alone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start(t, InMemory(), WithTLS(), WithoutHTTP2())
		c.good("GET", "/api/instance/list", "")
		require.NotEmpty(t, s.Requests())
		assert.Equal(t, "HTTP/1.1", s.Requests()[0].Proto)
	})
}

func TestSleepFollowsTheServersClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := start(t, InMemory())
		began := time.Now()
		done := make(chan error, 1)
		go func() { done <- s.Sleep(t.Context(), time.Hour) }()
		synctest.Wait()
		s.Advance(time.Hour)
		require.NoError(t, <-done)
		assert.Zero(t, time.Since(began))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, s.Sleep(ctx, time.Hour), context.DeadlineExceeded)
		go func() { done <- s.Sleep(t.Context(), time.Hour) }()
		synctest.Wait()
		s.Close()
		require.ErrorIs(t, <-done, context.Canceled)
	})
}
