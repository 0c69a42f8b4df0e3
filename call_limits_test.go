package ryze

import (
	"errors"
	"math"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Retry-After is a lower bound also where it is longer than anybody waits.
func TestALongRetryAfterIsNotWaitedFor(t *testing.T) {
	for _, after := range []string{"301", "3600"} {
		synctest.Test(t, func(t *testing.T) {
			count := 0
			transport := roundTripper(func(r *http.Request) (*http.Response, error) {
				count++
				resp := jsonResponse(r, `{"success":false,"error":{"message":"Rate limit exceeded. Try again later."}}`)
				resp.StatusCode = http.StatusTooManyRequests
				resp.Header.Set("Retry-After", after)
				return resp, nil
			})
			client, err := New(WithBaseURL("https://ryze.test"), WithHTTPClient(&http.Client{Transport: transport}))
			require.NoError(t, err)
			_, err = client.Instance("line", "t0ken").Messages.SendText(t.Context(), "5511987654321", "hi")
			var limited *RateLimitError
			require.ErrorAs(t, err, &limited)
			assert.Equal(t, 1, count)
			pause, again := RetryAfter(err)
			assert.True(t, again)
			assert.Greater(t, pause, 4*time.Minute)
		})
	}
}

func TestTimeLimitsDoNotOverflow(t *testing.T) {
	for _, opts := range [][]SendOption{{TimeLimit(math.MaxInt64), Delay(time.Second)}, {TimeLimit(math.MaxInt64)}} {
		_, inst, count := answering(t, "t0ken", 200, `{"success":true,"data":{"messageId":"X"}}`)
		_, err := inst.Messages.SendText(t.Context(), "5511987654321", "hi", opts...)
		require.NoError(t, err)
		assert.Equal(t, 1, *count)
	}
}

// A removal of which the reply says that it failed is not done.
func TestARemovalThatSaysThatItFailedIsNotDone(t *testing.T) {
	for _, body := range []string{
		`{"success":true,"status":"failed","message":"Failed to delete instance"}`, `{"success":true,"error":{"message":"Failed"}}`, `{"success":false}`,
	} {
		client, inst, _ := answering(t, "t0ken", 200, body)
		for what, err := range map[string]error{
			"delete": client.Account("t0ken").DeleteInstance(t.Context(), "line"), "leave": inst.Groups.Leave(t.Context(), "120363000000000001@g.us"),
			"logout": inst.Logout(t.Context()),
		} {
			require.Error(t, err, "%s: %s", what, body)
			assert.True(t, errors.Is(err, ErrBadResponse) || errors.Is(err, ErrServer), "%s: %v", what, err)
		}
	}
}
