package ryze_test

import (
	"testing"
	"time"

	. "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMessageOfACrashedProcessIsFound(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "a")
		_, err := inst.Messages.SendText(t.Context(), "5511987654321", "Your code is 4711") // an earlier one
		require.NoError(t, err)
		time.Sleep(time.Hour)
		attempt := Attempt{To: "5511987654321", Content: Text("Your code is 4711"), SentAt: time.Now()}

		restarted := func() *InstanceClient { // knows nothing of what was sent
			c := newTestClient(t, sim)
			t.Cleanup(func() { _ = c.Close() })
			return c.Instance("a", sim.Instance("a").Token())
		}
		_, err = restarted().Messages.Find(t.Context(), attempt)
		assert.ErrorIs(t, err, ErrOutcomeUnknown, "it may be on its way")

		time.Sleep(time.Minute)
		_, err = restarted().Messages.Find(t.Context(), attempt)
		assert.ErrorIs(t, err, ErrNotSent, "the earlier message is not it")
		sim.Fault("messages.text", ryzetest.Fault{Drop: ryzetest.DropAfterProcess})
		_, err = inst.Messages.SendText(t.Context(), "5511987654321", "Your code is 4711")
		require.ErrorIs(t, err, ErrOutcomeUnknown)
		time.Sleep(time.Minute)

		message, err := restarted().Messages.Find(t.Context(), attempt)
		require.NoError(t, err)
		assert.Equal(t, sim.Instance("a").Sent()[1].ID, message.ID)

		_, err = restarted().Messages.Find(t.Context(), attempt, SettleExcept(message.ID))
		assert.ErrorIs(t, err, ErrNotSent)

		for _, bad := range []Attempt{{}, {To: "5511987654321", Content: Text("x")}, {To: "x", Content: Text("x"), SentAt: time.Now()}, {To: "5511987654321", SentAt: time.Now()}} {
			_, err := inst.Messages.Find(t.Context(), bad)
			require.ErrorIs(t, err, ErrInvalidArgument)
		}
	})
}
