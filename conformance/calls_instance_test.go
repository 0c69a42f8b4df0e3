package conformance

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

var everything = ryze.CreateInstanceParams{
	Name: "sales-line", Token: "a-token-of-my-own",
	Proxy:     &ryze.ProxyConfig{Host: "proxy.example.net", Port: "1080", Protocol: ryze.ProxySOCKS5, Username: "u", Password: "proxy-secret"},
	Webhook:   &ryze.WebhookConfig{URL: "https://hooks.example.net/ryze", Authorization: "Bearer hook", ByEvents: true, Events: []ryze.EventType{ryze.EventMessage}, MediaBase64: true},
	WebSocket: &ryze.WebSocketConfig{Events: []ryze.EventType{ryze.EventMessage, ryze.EventInstanceState}},
	Chatwoot:  &chatwoot,
	Settings:  &allSettings,
	Storage:   &storage,
}

var (
	allSettings = ryze.SettingsUpdate{
		AutoRejectCalls: new(true), CallRejectMessage: new("Text only, please."),
		IgnoreGroupMessages: new(false), KeepOnlineStatus: new(true), AutoReadMessages: new(false),
		DisableHistorySync: new(true), IgnoreStatus: new(false),
	}
	chatwoot = ryze.ChatwootConfig{
		BaseURL: "https://chat.example.net", AccountID: 1, APIToken: "cw-token", InboxName: "WhatsApp",
		SignMessages: true, IgnoreGroups: true, StartAsPending: true, ReopenResolved: true,
	}
	storage = ryze.StorageConfig{
		Region: "us-east-1", Bucket: "media", AccessKey: "AK", SecretKey: "SK",
		Endpoint: "https://s3.example.net", PathPrefix: "support-line/",
	}
)

var accountCalls = []call{
	gives("health", func(ctx context.Context, e *env) (*ryze.Health, error) { return e.client.Health(ctx) }),
	gives("health of a degraded service", func(ctx context.Context, e *env) (*ryze.Health, error) { return e.client.Health(ctx) }).
		after(func(e *env) { e.sim.Degrade("s3", "timeout") }),
	gives("a route by its path", func(ctx context.Context, e *env) (json.RawMessage, error) {
		var out json.RawMessage
		_, err := e.client.Do(ctx, http.MethodGet, "/api/instance/getSettings/"+name, e.token, nil, &out)
		return out, err
	}),
	gives("create an instance", func(ctx context.Context, e *env) (*ryze.Instance, error) {
		return e.account.CreateInstance(ctx, ryze.CreateInstanceParams{Name: "sales-line"})
	}),
	gives("create an instance with everything", func(ctx context.Context, e *env) (*ryze.Instance, error) {
		return e.account.CreateInstance(ctx, everything)
	}),
	gives("create an instance whose token is under data", func(ctx context.Context, e *env) (*ryze.Instance, error) {
		return e.account.CreateInstance(ctx, ryze.CreateInstanceParams{Name: "sales-line", Settings: &ryze.SettingsUpdate{CallRejectMessage: new("")}})
	}).with(ryzetest.WithTokenInData()),
	gives("create an instance whose Chatwoot fails", func(ctx context.Context, e *env) (*ryze.Instance, error) {
		return e.account.CreateInstance(ctx, ryze.CreateInstanceParams{Name: "sales-line", Chatwoot: &chatwoot})
	}).after(func(e *env) { e.sim.RejectChatwoot(http.StatusUnauthorized, "token") }).inPart(),
	gives("list instances", func(ctx context.Context, e *env) ([]ryze.Instance, error) { return e.account.ListInstances(ctx) }).
		after(func(e *env) { e.sim.AddInstance("never-paired") }),
	gives("list instances in other states", func(ctx context.Context, e *env) ([]ryze.Instance, error) { return e.account.ListInstances(ctx) }).
		with(ryzetest.WithObservedStates(), ryzetest.WithDeviceSuffix("12")).
		after(func(e *env) { e.phone.Ban() }),
	gives("get an instance", func(ctx context.Context, e *env) (*ryze.Instance, error) { return e.account.GetInstance(ctx, name) }),
	does("delete an instance", func(ctx context.Context, e *env) error { return e.account.DeleteInstance(ctx, name) }),
	gives("metrics of several instances", func(ctx context.Context, e *env) (*ryze.Metrics, error) {
		return e.account.Metrics(ctx, name, "sales-line")
	}).after(func(e *env) { e.sim.AddInstance("sales-line") }),
}

// unpaired leaves an instance that was never connected.
func unpaired(e *env) {
	phone := e.sim.AddInstance("new-line")
	e.inst = e.client.Instance("new-line", phone.Token())
}

var instanceCalls = []call{
	gives("info", func(ctx context.Context, e *env) (*ryze.Instance, error) { return e.inst.Info(ctx) }),
	gives("connect with a QR code", func(ctx context.Context, e *env) (*ryze.Pairing, error) {
		return e.inst.Connect(ctx, ryze.ConnectParams{})
	}).after(unpaired),
	gives("connect with a pairing code", func(ctx context.Context, e *env) (*ryze.Pairing, error) {
		return e.inst.Connect(ctx, ryze.ConnectParams{Phone: own, HistoryDays: 7})
	}).after(unpaired),
	gives("connect what is connected", func(ctx context.Context, e *env) (*ryze.Pairing, error) {
		return e.inst.Connect(ctx, ryze.ConnectParams{})
	}),
	gives("wait until connected", func(ctx context.Context, e *env) (*ryze.Instance, error) { return e.inst.WaitConnected(ctx) }),
	does("reconnect", func(ctx context.Context, e *env) error { return e.inst.Reconnect(ctx) }).
		after(func(e *env) { e.phone.Disconnect() }),
	does("log out", func(ctx context.Context, e *env) error { return e.inst.Logout(ctx) }),
	gives("metrics", func(ctx context.Context, e *env) (*ryze.Metrics, error) { return e.inst.Metrics(ctx) }),
	gives("event stream", func(ctx context.Context, e *env) (any, error) {
		stream, err := e.inst.Subscribe(ctx)
		if err != nil {
			return nil, err
		}
		return nil, stream.Close()
	}).after(func(e *env) { enableStream(e) }),
	gives("event stream, enabled first", func(ctx context.Context, e *env) (any, error) {
		stream, err := e.inst.Subscribe(ctx, ryze.WithWebSocket(ryze.WebSocketConfig{MediaBase64: true}))
		if err != nil {
			return nil, err
		}
		return nil, stream.Close()
	}),
}

func enableStream(e *env) {
	if _, err := e.inst.WebSocket.Set(context.Background(), ryze.WebSocketConfig{}); err != nil {
		panic(err)
	}
}

var hook = ryze.WebhookConfig{Label: "crm", URL: "https://hooks.example.net/crm", Authorization: "Bearer hook", Events: []ryze.EventType{ryze.EventMessage, ryze.EventReceipt}, MediaBase64: true}

func setHook(e *env) {
	if _, err := e.inst.Webhooks.Set(context.Background(), hook); err != nil {
		panic(err)
	}
}

func setStorage(e *env) {
	if _, err := e.inst.Storage.Set(context.Background(), storage); err != nil {
		panic(err)
	}
}

var configurationCalls = []call{
	gives("settings", func(ctx context.Context, e *env) (*ryze.Settings, error) { return e.inst.Settings.Get(ctx) }),
	gives("update one setting", func(ctx context.Context, e *env) (*ryze.Settings, error) {
		return e.inst.Settings.Update(ctx, ryze.SettingsUpdate{AutoReadMessages: new(false)})
	}),
	gives("empty a setting", func(ctx context.Context, e *env) (*ryze.Settings, error) {
		return e.inst.Settings.Update(ctx, ryze.SettingsUpdate{CallRejectMessage: new("")})
	}),
	gives("update all settings", func(ctx context.Context, e *env) (*ryze.Settings, error) {
		return e.inst.Settings.Update(ctx, allSettings)
	}),
	gives("no proxy", func(ctx context.Context, e *env) (*ryze.Proxy, error) { return e.inst.Proxy.Get(ctx) }),
	does("set a proxy", func(ctx context.Context, e *env) error { return e.inst.Proxy.Set(ctx, *everything.Proxy) }),
	does("set a proxy without a user", func(ctx context.Context, e *env) error {
		return e.inst.Proxy.Set(ctx, ryze.ProxyConfig{Host: "proxy.example.net", Port: "3128", Protocol: ryze.ProxyHTTP})
	}),
	gives("the proxy", func(ctx context.Context, e *env) (*ryze.Proxy, error) { return e.inst.Proxy.Get(ctx) }).
		after(func(e *env) {
			if err := e.inst.Proxy.Set(context.Background(), *everything.Proxy); err != nil {
				panic(err)
			}
		}),
	does("remove the proxy", func(ctx context.Context, e *env) error { return e.inst.Proxy.Remove(ctx) }),
	gives("no storage", func(ctx context.Context, e *env) (*ryze.Storage, error) { return e.inst.Storage.Get(ctx) }),
	gives("set the storage", func(ctx context.Context, e *env) (*ryze.Storage, error) {
		return e.inst.Storage.Set(ctx, storage)
	}),
	gives("set the storage to AWS", func(ctx context.Context, e *env) (*ryze.Storage, error) {
		return e.inst.Storage.Set(ctx, ryze.StorageConfig{Bucket: "media", AccessKey: "AK", SecretKey: "SK", Region: "sa-east-1"})
	}),
	gives("the storage", func(ctx context.Context, e *env) (*ryze.Storage, error) { return e.inst.Storage.Get(ctx) }).after(setStorage),
	does("disable the storage", func(ctx context.Context, e *env) error { return e.inst.Storage.Disable(ctx) }).after(setStorage),
	gives("set a webhook", func(ctx context.Context, e *env) (*ryze.Webhook, error) { return e.inst.Webhooks.Set(ctx, hook) }),
	gives("set the usual webhook for all events", func(ctx context.Context, e *env) (*ryze.Webhook, error) {
		return e.inst.Webhooks.Set(ctx, ryze.WebhookConfig{URL: "https://hooks.example.net/all", ByEvents: true})
	}),
	gives("a webhook", func(ctx context.Context, e *env) (*ryze.Webhook, error) { return e.inst.Webhooks.Get(ctx, "crm") }).after(setHook),
	gives("no webhook of that label", func(ctx context.Context, e *env) (*ryze.Webhook, error) {
		return e.inst.Webhooks.Get(ctx, "none")
	}).failing(ryze.ErrNotFound),
	gives("all webhooks", func(ctx context.Context, e *env) ([]ryze.Webhook, error) { return e.inst.Webhooks.List(ctx) }).after(setHook),
	gives("no webhooks", func(ctx context.Context, e *env) ([]ryze.Webhook, error) { return e.inst.Webhooks.List(ctx) }),
	does("disable a webhook", func(ctx context.Context, e *env) error { return e.inst.Webhooks.Disable(ctx, "crm") }).after(setHook),
	gives("ensure a webhook", func(ctx context.Context, e *env) (*ryze.EnsuredWebhook, error) {
		return e.inst.Webhooks.Ensure(ctx, hook)
	}),
	gives("disable other webhooks", func(ctx context.Context, e *env) ([]string, error) {
		return e.inst.Webhooks.DisableOthers(ctx, "default")
	}).after(setHook),
	gives("enable the event stream", func(ctx context.Context, e *env) (*ryze.WebSocket, error) {
		return e.inst.WebSocket.Set(ctx, ryze.WebSocketConfig{Events: []ryze.EventType{ryze.EventMessage}, MediaBase64: true})
	}),
	gives("enable the event stream for all events", func(ctx context.Context, e *env) (*ryze.WebSocket, error) {
		return e.inst.WebSocket.Set(ctx, ryze.WebSocketConfig{})
	}),
	gives("configuration of the event stream", func(ctx context.Context, e *env) (*ryze.WebSocket, error) {
		return e.inst.WebSocket.Get(ctx)
	}).after(enableStream),
	gives("no event stream", func(ctx context.Context, e *env) (*ryze.WebSocket, error) { return e.inst.WebSocket.Get(ctx) }).
		failing(ryze.ErrNotFound),
	does("disable the event stream", func(ctx context.Context, e *env) error { return e.inst.WebSocket.Disable(ctx) }).after(enableStream),
	gives("ensure the event stream", func(ctx context.Context, e *env) (*ryze.EnsuredWebSocket, error) {
		return e.inst.WebSocket.Ensure(ctx, ryze.WebSocketConfig{})
	}),
}

var chatwootCalls = []call{
	gives("activate Chatwoot", func(ctx context.Context, e *env) (*ryze.ChatwootActivation, error) {
		return e.inst.Chatwoot.Set(ctx, chatwoot)
	}),
	gives("activate Chatwoot with nothing else", func(ctx context.Context, e *env) (*ryze.ChatwootActivation, error) {
		return e.inst.Chatwoot.Set(ctx, ryze.ChatwootConfig{BaseURL: "https://chat.example.net", AccountID: 1, APIToken: "cw-token"})
	}),
	gives("the integration with Chatwoot", func(ctx context.Context, e *env) (*ryze.Chatwoot, error) { return e.inst.Chatwoot.Get(ctx) }).after(setChatwoot),
	gives("a failing integration with Chatwoot", func(ctx context.Context, e *env) (*ryze.Chatwoot, error) { return e.inst.Chatwoot.Get(ctx) }).
		after(func(e *env) { setChatwoot(e); e.phone.SetChatwootStatus("error", "401 from Chatwoot") }),
	does("remove Chatwoot", func(ctx context.Context, e *env) error { return e.inst.Chatwoot.Delete(ctx) }).after(setChatwoot),
}

func setChatwoot(e *env) {
	if _, err := e.inst.Chatwoot.Set(context.Background(), chatwoot); err != nil {
		panic(err)
	}
}

const soon = 2 * time.Second
