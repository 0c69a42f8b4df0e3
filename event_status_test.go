package ryze

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A status has one spelling, whichever the service used and wherever it came
// from, and one that is not known is kept as it came.
func TestStatusIsReadInAnySpelling(t *testing.T) {
	for word, want := range map[string]MessageStatus{
		"pending": StatusPending, "sent": StatusSent, "delivered": StatusDelivered, "received": StatusReceived, "read": StatusRead, "played": StatusPlayed,
		"error": StatusError, "failed": StatusError, "FAILED": StatusError, "sender": StatusSender, "read_self": StatusReadSelf, "played_self": StatusPlayedSelf,
		"retry": StatusRetry, "inactive": StatusInactive, "server_error": StatusServerError,
		"Read": StatusRead, "DELIVERED": StatusDelivered, "readSelf": StatusReadSelf, "read-self": StatusReadSelf, "Played Self": StatusPlayedSelf,
		"serverError": StatusServerError, "SERVER-ERROR": StatusServerError, "": "", "Seen by Ana": "Seen by Ana", "read_twice": "read_twice",
	} {
		assert.Equal(t, want, parse(t, fmt.Appendf(nil, `{"event":"message.status","data":{"status":%q}}`, word)).Data.(*ReceiptEvent).Status, word)
		inst, _ := script(t,
			scriptedReply{body: fmt.Sprintf(`{"success":true,"messageId":"a","data":{"status":%q}}`, word)},
			scriptedReply{body: fmt.Sprintf(`{"success":true,"message_id":"a","status":%q,"status_code":"4"}`, word)})
		stored, err := inst.Messages.Get(t.Context(), "a")
		require.NoError(t, err)
		assert.Equal(t, want, stored.Status, word)
		if word == "" {
			continue
		}
		status, err := inst.Messages.DeliveryStatus(t.Context(), "a")
		require.NoError(t, err)
		assert.Equal(t, want, status.Status, word)
		assert.Equal(t, 4, status.Code)
	}
	inst, _ := script(t, scriptedReply{body: `{"success":true,"status":"Sent","data":{"messageId":"A"}}`})
	sent, err := inst.Messages.SendText(t.Context(), ana, "Hello")
	require.NoError(t, err)
	assert.Equal(t, StatusSent, sent.Status)
}

// Whatever order statuses come in, and wherever from, a message ends as far as it got.
func TestStatusNeverGoesBack(t *testing.T) {
	way := []MessageStatus{StatusPending, StatusSent, StatusDelivered, StatusRead, StatusPlayed}
	for i, a := range way {
		for j, b := range way {
			assert.Equal(t, i > j, a.Supersedes(b), "%s after %s", a, b)
		}
		assert.True(t, a.Supersedes(""))
	}
	for _, news := range []MessageStatus{StatusError, StatusServerError, StatusInactive, StatusRetry, "new"} {
		for i, s := range way {
			assert.Equal(t, i < 2, news.Supersedes(s), "%s after %s", news, s)
			assert.True(t, s.Supersedes(news), "%s after %s", s, news)
		}
		assert.False(t, news.Supersedes(news))
	}
	assert.False(t, StatusReceived.Supersedes(StatusDelivered))
	assert.False(t, StatusDelivered.Supersedes(StatusReceived))
}
