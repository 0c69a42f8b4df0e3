package ryze_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	. "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCreationCarriesEveryBlock(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		account := client.Account(sim.AccountToken)
		created, err := account.CreateInstance(t.Context(), CreateInstanceParams{
			Name:      "support-line",
			Token:     "chosen-token",
			Proxy:     &ProxyConfig{Host: "proxy.example.net", Port: "1080", Protocol: ProxySOCKS5, Username: "u", Password: "p"},
			Webhook:   &WebhookConfig{URL: "https://hooks.example.net/ryze", Authorization: "Bearer hook", ByEvents: true, Events: []EventType{EventMessage, EventCall}, MediaBase64: true},
			WebSocket: &WebSocketConfig{Events: []EventType{EventMessage}, MediaBase64: true},
			Chatwoot:  &ChatwootConfig{BaseURL: "https://chatwoot.example.com", AccountID: 7, APIToken: "cw", InboxName: "support", SignMessages: true},
			Settings:  &SettingsUpdate{AutoRejectCalls: new(true), CallRejectMessage: new("Text only, please."), DisableHistorySync: new(false)},
			Storage:   &StorageConfig{Region: "us-east-1", Bucket: "media", AccessKey: "AK", SecretKey: "SK", PathPrefix: "a/"},
		})
		require.NoError(t, err)
		assert.Equal(t, "chosen-token", created.Token.Reveal())
		assert.Empty(t, sim.Violations())

		inst := account.InstanceFrom(created)
		proxy, err := inst.Proxy.Get(t.Context())
		require.NoError(t, err)
		assert.Equal(t, &Proxy{Meta: proxy.Meta, Enabled: true, ProxyConfig: ProxyConfig{Host: "proxy.example.net", Port: "1080", Protocol: ProxySOCKS5, Username: "u"}}, proxy)
		hook, err := inst.Webhooks.Get(t.Context(), "")
		require.NoError(t, err)
		assert.Equal(t, &Webhook{Meta: hook.Meta, Enabled: true, WebhookConfig: WebhookConfig{
			Label: "default", URL: "https://hooks.example.net/ryze", Authorization: "Bearer hook",
			ByEvents: true, Events: []EventType{EventMessage, EventCall}, MediaBase64: true,
		}}, hook)
		socket, err := inst.WebSocket.Get(t.Context())
		require.NoError(t, err)
		assert.Equal(t, &WebSocket{Meta: socket.Meta, Enabled: true, WebSocketConfig: WebSocketConfig{Events: []EventType{EventMessage}, MediaBase64: true}}, socket)
		settings, err := inst.Settings.Get(t.Context())
		require.NoError(t, err)
		assert.Equal(t, &Settings{Meta: settings.Meta, AutoRejectCalls: true, CallRejectMessage: "Text only, please."}, settings)
		storage, err := inst.Storage.Get(t.Context())
		require.NoError(t, err)
		assert.Equal(t, &Storage{Meta: storage.Meta, Enabled: true, StorageConfig: StorageConfig{Region: "us-east-1", Bucket: "media", AccessKey: "AK", PathPrefix: "a/"}}, storage)
	})
}

func TestBadBlocksAreRefusedBeforeAnyRequest(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		for what, params := range map[string]CreateInstanceParams{
			"proxy of nothing":         {Name: "a", Proxy: &ProxyConfig{}},
			"proxy port":               {Name: "a", Proxy: &ProxyConfig{Host: "h", Port: "70000", Protocol: ProxyHTTP}},
			"proxy port that is text":  {Name: "a", Proxy: &ProxyConfig{Host: "h", Port: "http"}},
			"webhook without a URL":    {Name: "a", Webhook: &WebhookConfig{}},
			"webhook to nowhere":       {Name: "a", Webhook: &WebhookConfig{URL: "hooks.example.net"}},
			"webhook of another label": {Name: "a", Webhook: &WebhookConfig{URL: "https://h.example", Label: "second"}},
			"authorization":            {Name: "a", Webhook: &WebhookConfig{URL: "https://h.example", Authorization: "a\r\nb"}},
			"storage without a bucket": {Name: "a", Storage: &StorageConfig{AccessKey: "a", SecretKey: "b"}},
			"storage endpoint":         {Name: "a", Storage: &StorageConfig{Bucket: "b", AccessKey: "a", SecretKey: "b", Endpoint: "minio"}},
			"token":                    {Name: "a", Token: " t"},
		} {
			_, err := client.Account(sim.AccountToken).CreateInstance(t.Context(), params)
			var v *ValidationError
			require.ErrorAs(t, err, &v, what)
		}
		assert.Empty(t, sim.Requests())
	})
}

func TestTokenIsAcceptedInBothDocumentedPlaces(t *testing.T) {
	for _, opts := range [][]ryzetest.Option{nil, {ryzetest.WithTokenInData()}} {
		simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
			account := client.Account(sim.AccountToken)
			created, err := account.CreateInstance(t.Context(), CreateInstanceParams{Name: "a"})
			require.NoError(t, err)
			assert.Equal(t, "a", created.Name)
			_, err = account.InstanceFrom(created).Settings.Get(t.Context())
			require.NoError(t, err)
		}, opts...)
	}
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		sim.Fault("instance.create", ryzetest.Fault{Status: 201, Body: `{"success":true,"instance":{"name":"a"}}`})
		_, err := client.Account(sim.AccountToken).CreateInstance(t.Context(), CreateInstanceParams{Name: "a"})
		require.ErrorIs(t, err, ErrOutcomeUnknown, "without a token the instance cannot be used")
	})
}

func TestListWithoutInstancesIsNotAnEmptyList(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		account := client.Account(sim.AccountToken)
		list, err := account.ListInstances(t.Context())
		require.NoError(t, err)
		assert.Empty(t, list)
		sim.Fault("instance.list", ryzetest.Fault{Status: 200, Body: `{"success":true}`, Times: 2})
		_, err = account.ListInstances(t.Context())
		require.ErrorIs(t, err, ErrBadResponse)
		_, err = account.GetInstance(t.Context(), "a")
		require.ErrorIs(t, err, ErrBadResponse)
		require.NotErrorIs(t, err, ErrNotFound)
	})
}

func TestOddInstancesAreReadAsFarAsPossible(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		sim.Fault("instance.list", ryzetest.Fault{Status: 200, Body: `{"success":true,"instances":[
			{"name":"a","status":"closed","connection":null,"profile":null,"webhook":null,"numberJid":"5511900000001:12@s.whatsapp.net"},
			{"name":"b","connection":{"state":"LoggedOut","numberJid":null},"proxy":{"x":1},"new":true},
			{"name":"c","status":7,"connection":{"state":"connected"},"token":"t"},
			null, 42, {"name":"d","connection":{"state":"something_new"}}]}`})
		list, err := client.Account(sim.AccountToken).ListInstances(t.Context())
		require.NoError(t, err)
		require.Len(t, list, 6)
		assert.Equal(t, InstanceClosed, list[0].State)
		assert.Equal(t, JID("5511900000001@s.whatsapp.net"), list[0].JID)
		assert.Equal(t, InstanceLoggedOut, list[1].State)
		assert.Equal(t, "LoggedOut", list[1].RawState)
		assert.JSONEq(t, `{"name":"b","connection":{"state":"LoggedOut","numberJid":null},"proxy":{"x":1},"new":true}`, string(list[1].Raw()))
		assert.True(t, list[2].Connected())
		assert.Equal(t, InstanceState("something_new"), list[5].State)
	})
}

func TestPairingCodeAndHistory(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := client.Instance("a", sim.AddInstance("a").Token())
		p, err := inst.Connect(t.Context(), ConnectParams{Phone: "5511987654321@s.whatsapp.net", HistoryDays: 7})
		require.NoError(t, err)
		assert.Equal(t, sim.Instance("a").PairingCode(), p.Code.Reveal())
		assert.Empty(t, p.QRCode)
		assert.Nil(t, p.PNG())
		assert.False(t, p.AlreadyConnected())
		assert.Empty(t, sim.Violations())

		for _, bad := range []ConnectParams{{Phone: "123456789012345@lid"}, {Phone: "1@g.us"}, {Phone: "+5511"}, {HistoryDays: -1}} {
			_, err := inst.Connect(t.Context(), bad)
			require.ErrorIs(t, err, ErrInvalidArgument)
		}
		assert.Equal(t, 1, sim.Count("instance.connect"))
	})
}

func TestPictureOfTheCodeIsReadWithAndWithoutDataURI(t *testing.T) {
	for _, opts := range [][]ryzetest.Option{nil, {ryzetest.WithoutQRPrefix()}} {
		simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
			inst := client.Instance("a", sim.AddInstance("a").Token())
			p, err := inst.Connect(t.Context(), ConnectParams{})
			require.NoError(t, err)
			require.NotEmpty(t, p.PNG())
			assert.Equal(t, "image/png", http.DetectContentType(p.PNG()))
		}, opts...)
	}
	assert.Nil(t, DecodeBase64("not base64!"))
	assert.Equal(t, []byte("hi"), DecodeBase64("aGk"))
	assert.Equal(t, []byte("hi"), DecodeBase64(" aGk=\n"))
}

func TestSlowCodeIsWaitedFor(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := client.Instance("a", sim.AddInstance("a").Token())
		_, err := inst.Connect(t.Context(), ConnectParams{})
		require.NoError(t, err)
	}, ryzetest.WithCodeDelay(58*time.Second))
}

func TestConnectedInstanceHasNothingToPair(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "a")
		sim.Fault("instance.connect", ryzetest.Fault{Status: 200, Body: `{"success":true,"status":"connected"}`})
		p, err := inst.Connect(t.Context(), ConnectParams{})
		require.NoError(t, err)
		assert.True(t, p.AlreadyConnected())
		sim.Fault("instance.connect", ryzetest.Fault{Status: 200, Body: `{"success":true,"status":"qr"}`})
		_, err = inst.Connect(t.Context(), ConnectParams{})
		require.ErrorIs(t, err, ErrBadResponse, "no code at all")
	})
}

func TestWaitConnectedPollsWithinTheQuota(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := client.Instance("a", sim.AddInstance("a").Token())
		time.AfterFunc(10*time.Minute, func() { sim.Instance("a").Pair("5511900000001") })
		began := time.Now()
		info, err := inst.WaitConnected(t.Context())
		require.NoError(t, err)
		assert.True(t, info.Connected())
		assert.Less(t, time.Since(began), 10*time.Minute+2*ConnectPoll)
		assert.LessOrEqual(t, sim.Count("instance.list"), 25*10, "a quarter of the quota, at most")
	})
}

func TestWaitConnectedListensToTheStream(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := client.Instance("a", sim.AddInstance("a").Token())
		_, err := inst.WebSocket.Set(t.Context(), WebSocketConfig{})
		require.NoError(t, err)
		time.AfterFunc(10*time.Second+ConnectPoll/2, func() { sim.Instance("a").Pair("5511900000001") })
		began := time.Now()
		_, err = inst.WaitConnected(t.Context())
		require.NoError(t, err)
		assert.Less(t, time.Since(began), 10*time.Second+ConnectPoll/2+time.Second, "it did not wait for the next poll")
		require.Eventually(t, func() bool { return sim.Instance("a").WebSockets() == 0 }, time.Minute, time.Second, "the stream is closed")
	})
}

func TestWaitConnectedGivesUp(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "a")
		sim.Instance("a").Ban()
		_, err := inst.WaitConnected(t.Context())
		require.ErrorIs(t, err, ErrBanned)
		require.ErrorIs(t, err, ErrNotConnected)

		other := client.Instance("b", sim.AddInstance("b").Token())
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err = other.WaitConnected(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		_, err = client.Instance("nobody", sim.AccountToken).WaitConnected(t.Context())
		require.ErrorIs(t, err, ErrInstanceNotFound)
	}, ryzetest.WithObservedStates())
}

func TestSessionsEndAndComeBack(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "a")
		sim.Instance("a").Disconnect()
		_, err := inst.Messages.SendText(t.Context(), "5511987654321", "hi")
		require.ErrorIs(t, err, ErrNotConnected)
		require.NoError(t, inst.Reconnect(t.Context()))
		_, err = inst.WaitConnected(t.Context())
		require.NoError(t, err)

		require.NoError(t, inst.Logout(t.Context()))
		info, err := inst.Info(t.Context())
		require.NoError(t, err)
		assert.Equal(t, InstanceLoggedOut, info.State)
		require.ErrorIs(t, inst.Reconnect(t.Context()), ErrNoSession)
	})
}

func TestSettingsTellFalseFromAbsent(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "a")
		s, err := inst.Settings.Update(t.Context(), SettingsUpdate{DisableHistorySync: new(false), CallRejectMessage: new("")})
		require.NoError(t, err)
		assert.False(t, s.DisableHistorySync)
		s, err = inst.Settings.Update(t.Context(), SettingsUpdate{IgnoreStatus: new(true)})
		require.NoError(t, err)
		assert.False(t, s.DisableHistorySync, "kept")
		assert.True(t, s.IgnoreStatus)
		_, err = inst.Settings.Update(t.Context(), SettingsUpdate{})
		require.ErrorIs(t, err, ErrInvalidArgument)
		assert.Empty(t, sim.Violations())
	})
}

func TestProxyAndStorageAreSetAndRemoved(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "a")
		require.NoError(t, inst.Proxy.Set(t.Context(), ProxyConfig{Host: "h", Port: "8080", Protocol: ProxyHTTP}))
		p, err := inst.Proxy.Get(t.Context())
		require.NoError(t, err)
		assert.True(t, p.Enabled)
		require.NoError(t, inst.Proxy.Remove(t.Context()))
		p, err = inst.Proxy.Get(t.Context())
		require.NoError(t, err)
		assert.Equal(t, &Proxy{Meta: p.Meta}, p)
		require.ErrorIs(t, inst.Proxy.Set(t.Context(), ProxyConfig{}), ErrInvalidArgument)

		s, err := inst.Storage.Set(t.Context(), StorageConfig{Bucket: "b", AccessKey: "a", SecretKey: "s", Endpoint: "https://minio.example"})
		require.NoError(t, err)
		assert.Equal(t, "b", s.Bucket)
		assert.Empty(t, s.SecretKey)
		require.NoError(t, inst.Storage.Disable(t.Context()))
		s, err = inst.Storage.Get(t.Context())
		require.NoError(t, err)
		assert.False(t, s.Enabled)
		assert.Empty(t, sim.Violations())
	})
}

func TestMetricsOfOneAndOfSeveral(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		a, b := paired(t, sim, client, "a b"), paired(t, sim, client, "b")
		for range 3 {
			_, err := a.Messages.SendText(t.Context(), "5511987654321", "hi")
			require.NoError(t, err)
		}
		_, err := b.Messages.SendText(t.Context(), "5511987654321", "hi")
		require.NoError(t, err)

		m, err := a.Metrics(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 3, m.MessagesSent)
		assert.Equal(t, 3, m.MessagesByType["text"])
		assert.False(t, m.LastMessageAt.IsZero())
		m, err = client.Account(sim.AccountToken).Metrics(t.Context(), "a b", "b")
		require.NoError(t, err)
		assert.Equal(t, 4, m.TotalMessages)
		_, err = client.Account(sim.AccountToken).Metrics(t.Context())
		require.ErrorIs(t, err, ErrInvalidArgument)
		_, err = client.Account(sim.AccountToken).Metrics(t.Context(), "a,b")
		require.ErrorIs(t, err, ErrInvalidArgument)
		_, err = client.Account(sim.AccountToken).Metrics(t.Context(), "nobody")
		require.ErrorIs(t, err, ErrNotFound)
		assert.Empty(t, sim.Violations())
	})
}
