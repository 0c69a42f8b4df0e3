package ryze_test

import (
	"testing"

	. "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFromCreationToAMessageAndBack(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		ctx := t.Context()
		account := client.Account(sim.AccountToken)

		created, err := account.CreateInstance(ctx, CreateInstanceParams{
			Name:      "support-line",
			WebSocket: &WebSocketConfig{},
			Settings:  &SettingsUpdate{AutoReadMessages: new(true)},
		})
		require.NoError(t, err)
		assert.NotEmpty(t, created.Token)
		assert.False(t, created.Connected())

		inst := account.InstanceFrom(created)
		pairing, err := inst.Connect(ctx, ConnectParams{})
		require.NoError(t, err)
		assert.Equal(t, "\x89PNG", string(pairing.PNG()[:4]))
		assert.NotEmpty(t, pairing.QRCode.Reveal())

		go sim.Instance("support-line").Pair("5511900000001")
		info, err := inst.WaitConnected(ctx)
		require.NoError(t, err)
		assert.Equal(t, JID("5511900000001@s.whatsapp.net"), info.JID)

		sent, err := inst.Messages.SendText(ctx, "5511987654321", "Hello")
		require.NoError(t, err)
		assert.Equal(t, JID("5511987654321@s.whatsapp.net"), sent.Chat)
		assert.True(t, sent.RateLimit.Known)

		picture, err := inst.Messages.Send(ctx, "5511987654321", Media{Source: MediaBytes("qr.png", pairing.PNG()), Caption: "Scan me"})
		require.NoError(t, err)
		assert.Equal(t, "image", picture.Type)

		stored := sim.Instance("support-line").Sent()
		require.Len(t, stored, 2)
		assert.Equal(t, "Hello", stored[0].Text)
		assert.Equal(t, pairing.PNG(), stored[1].Media.Bytes)
		assert.Equal(t, "image/png", stored[1].Media.MIME)

		settings, err := inst.Settings.Get(ctx)
		require.NoError(t, err)
		assert.True(t, settings.AutoReadMessages)

		require.NoError(t, account.DeleteInstance(ctx, "support-line"))
		_, err = account.GetInstance(ctx, "support-line")
		require.ErrorIs(t, err, ErrInstanceNotFound)
		assert.Empty(t, sim.Violations())
	})
}
