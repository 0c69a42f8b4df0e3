package ryze_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// What customers write while a program is down is no history when it is back: the
// moment that it compares with is the same before and after.
func TestRestartDoesNotMakeHistoryOfWhatWasMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		taken := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
		sim := ryzetest.NewServer(ryzetest.InMemory(), ryzetest.WithWebhookHandler(taken))
		defer sim.Close()
		client, err := ryze.New(ryze.WithBaseURL(sim.URL), ryze.WithHTTPClient(sim.HTTPClient()))
		require.NoError(t, err)
		defer func() { require.NoError(t, client.Close()) }()
		created, err := client.Account(sim.AccountToken).CreateInstance(t.Context(), ryze.CreateInstanceParams{
			Name: "support-line", Webhook: &ryze.WebhookConfig{URL: "https://hooks.example.com/wh"},
		})
		require.NoError(t, err)
		inst := client.Account(sim.AccountToken).InstanceFrom(created)
		phone := sim.Instance("support-line")
		phone.SetHistory([]ryzetest.Incoming{{From: "5511987654321", Text: "Happy new year", At: time.Now().AddDate(0, 0, -5)}})
		time.Sleep(time.Minute)
		_, err = inst.Connect(t.Context(), ryze.ConnectParams{HistoryDays: 7})
		require.NoError(t, err)
		phone.Pair("5511900000001")
		time.Sleep(time.Hour)
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "Are you open?"}) // while the program is down
		time.Sleep(time.Hour)

		info, err := inst.Info(t.Context()) // what it does at each start
		require.NoError(t, err)
		history := map[string]bool{}
		var pairedAt time.Time
		for _, d := range sim.Deliveries() {
			event, err := ryze.ParseEvent(d.Body)
			require.NoError(t, err)
			switch data := event.Data.(type) {
			case *ryze.MessageEvent:
				history[data.Text] = event.IsHistory(info.CreatedAt)
				assert.False(t, event.IsHistory(time.Time{}), "nobody knows")
				if !pairedAt.IsZero() {
					assert.Equal(t, history[data.Text], event.IsHistory(pairedAt), data.Text)
				}
			case *ryze.InstanceStateEvent:
				if data.State == ryze.InstancePairSuccess {
					pairedAt = data.Timestamp
				}
			}
		}
		assert.Equal(t, map[string]bool{"Happy new year": true, "Are you open?": false}, history)
		assert.False(t, pairedAt.IsZero())
	})
}
