package ryzetest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// TestBulkSendWaitsForTheNextWindow shows a test in a synctest bubble: the
// server is in memory, the client takes its transport from it, and the minute
// that the rate limit makes the client wait passes at once.
func TestBulkSendWaitsForTheNextWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := ryzetest.NewServer(ryzetest.InMemory(), ryzetest.WithRateLimit(10))
		defer srv.Close()
		shop := srv.AddInstance("shop")
		shop.Pair("5511900000001")
		client, err := ryze.NewInstanceClient("shop", shop.Token(),
			ryze.WithBaseURL(srv.URL), ryze.WithHTTPClient(srv.HTTPClient()))
		require.NoError(t, err)
		started := time.Now()

		for range 25 {
			_, err := client.Messages.SendText(t.Context(), "5511987654321", "Hello")
			require.NoError(t, err)
		}

		assert.Len(t, shop.Sent(), 25)
		assert.Equal(t, 25, srv.Count("*"), "no request was refused")
		assert.GreaterOrEqual(t, time.Since(started), 2*time.Minute, "three windows")
		assert.Empty(t, srv.Violations())
	})
}
