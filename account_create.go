package ryze

import (
	"cmp"
	"context"
	"fmt"
)

// CreateInstanceParams describes a new instance. Only Name is required; each
// block that is not nil is set up in the same request.
type CreateInstanceParams struct {
	// Name is unique in the account, case-sensitive, and part of every path.
	// The service documents no rule for it; letters, digits, hyphen and
	// underscore are safe everywhere.
	Name string
	// Token fixes the instance's token, which must be unique in the account.
	// The service makes one when it is empty.
	Token Secret

	Proxy     *ProxyConfig
	Webhook   *WebhookConfig // becomes the webhook labelled "default"
	WebSocket *WebSocketConfig
	Chatwoot  *ChatwootConfig
	Settings  *SettingsUpdate
	Storage   *StorageConfig
}

// Format implements [fmt.Formatter]: with any verb, no secret is printed.
func (p CreateInstanceParams) Format(f fmt.State, verb rune) {
	type plain CreateInstanceParams
	formatPlain(f, verb, plain(p))
}

// createInstanceBody is the flat form in which the blocks travel. Each is defined
// where its configuration is.
type createInstanceBody struct {
	Name  string `json:"name"`
	Token string `json:"token,omitempty"`
	*proxyBlock
	*webhookBlock
	*webSocketBlock
	*chatwootBlock
	*SettingsUpdate
	*storageBlock
}

// secrets returns what of the parameters must not come back in an error.
func (p *CreateInstanceParams) secrets() []Secret {
	list := []Secret{p.Token}
	if p.Proxy != nil {
		list = append(list, p.Proxy.Password)
	}
	if p.Webhook != nil {
		list = append(list, p.Webhook.Authorization)
	}
	if p.Chatwoot != nil {
		list = append(list, p.Chatwoot.APIToken)
	}
	if p.Storage != nil {
		list = append(list, Secret(p.Storage.AccessKey), p.Storage.SecretKey)
	}
	return list
}

func (p *CreateInstanceParams) body() (*createInstanceBody, error) {
	if err := checkInstanceName(p.Name); err != nil {
		return nil, err
	}
	if p.Token != "" {
		if err := checkToken(p.Token.Reveal()); err != nil {
			return nil, err
		}
	}
	b := &createInstanceBody{Name: p.Name, Token: p.Token.Reveal(), SettingsUpdate: p.Settings}
	var err error
	if b.proxyBlock, err = p.Proxy.block(); err != nil {
		return nil, err
	}
	if b.webhookBlock, err = p.Webhook.block(); err != nil {
		return nil, err
	}
	if p.Settings != nil {
		if err := checkTexts("Settings", p.Settings); err != nil {
			return nil, err
		}
	}
	if b.webSocketBlock, err = p.WebSocket.block(); err != nil {
		return nil, err
	}
	if b.chatwootBlock, err = p.Chatwoot.block(); err != nil {
		return nil, err
	}
	if b.storageBlock, err = p.Storage.block(); err != nil {
		return nil, err
	}
	return b, nil
}

type createInstanceReply struct {
	envelope
	created *wireInstance

	// Whether the blocks are echoed here or inside the instance is not documented.
	shownBlocks
	Data shownBlocks `json:"data"`
}

// shownBlocks are the blocks of a creation that a reply can show.
type shownBlocks struct {
	Webhook   *wireWebhook   `json:"webhook"`
	WebSocket *wireWebSocket `json:"websocket"`
	Chatwoot  *wireChatwoot  `json:"chatwoot"`
}

// missing finds the instance, and its token, which is documented in two places.
func (r *createInstanceReply) missing(token Secret) string {
	r.created = resourceIn(r.Raw(), func(w *wireInstance) bool { return w.Name != "" || w.ID != "" || w.Token != "" }, "instance")
	if r.created == nil {
		return "the reply has no instance"
	}
	if r.created.Token == "" {
		if w := resourceIn(r.Raw(), func(w *wireInstance) bool { return w.Token != "" }, "instance"); w != nil {
			r.created.Token = w.Token
		}
	}
	if r.created.Token == "" && token == "" {
		return "the reply has no token"
	}
	return ""
}

// saysFailed is always false: an instance that is new is disconnected, and a
// block that failed does not undo it.
func (*createInstanceReply) saysFailed() bool { return false }

// places are all blocks that the reply shows, those inside the instance first.
func (r *createInstanceReply) places() []shownBlocks {
	w := r.created
	return []shownBlocks{{w.Webhook, w.WebSocket, w.Chatwoot}, r.shownBlocks, r.Data}
}

// fill gives the instance the blocks that it lacks.
func (r *createInstanceReply) fill() {
	for _, shown := range r.places() {
		r.created.Webhook = cmp.Or(r.created.Webhook, shown.Webhook)
		r.created.WebSocket = cmp.Or(r.created.WebSocket, shown.WebSocket)
		r.created.Chatwoot = cmp.Or(r.created.Chatwoot, shown.Chatwoot)
	}
}

// CreateInstance creates an instance, disconnected at first; call
// [InstanceClient.Connect] next. The reply's Token is the instance's own.
//
// A webhook, WebSocket or Chatwoot block that fails does not undo the creation.
// When the service says so, or names an error beside the instance, the instance is
// returned together with an error that matches [ErrPartial], and [ErrChatwoot] when
// it is about Chatwoot. The [*PartialError] holds the instance too, with its token.
// Set the block up again with its own service, not by a second creation:
//
//	created, err := account.CreateInstance(ctx, params)
//	if err != nil && !errors.Is(err, ryze.ErrPartial) {
//		return err
//	}
//	inst := account.InstanceFrom(created) // err may still name a block that failed
//
// No error does not prove that a webhook or WebSocket was set up: the service may
// leave the block out of its reply. [WebhooksService.Ensure] and
// [WebSocketService.Ensure] make sure.
//
// Errors: [ErrPartial]; [ErrQuotaExceeded]; [ErrConflict] when the name is taken;
// [ErrOutcomeUnknown] when the instance may have been created, in which case
// list the instances before trying again.
//
// POST /api/instance/new, 20 a minute. Not safe to repeat.
func (a *AccountClient) CreateInstance(ctx context.Context, params CreateInstanceParams) (*Instance, error) {
	body, err := params.body()
	if err != nil {
		return nil, err
	}
	in := input{
		body: body, secrets: params.secrets(),
		hint: "the instance may exist: list the instances before creating it again",
	}
	rep, err := fetchChecked(ctx, a.h, opInstanceCreate, in, func(r *createInstanceReply) string {
		return r.missing(params.Token)
	})
	if err != nil {
		return nil, err
	}
	shown := rep.places()
	rep.fill()
	instance := rep.created.instance(a.h.auth, rep.Meta)
	if instance.Name == "" {
		instance.Name = params.Name
	}
	if instance.Token == "" {
		instance.Token = params.Token
	}
	failed := partsOf(a.h, opInstanceCreate, append(params.secrets(), instance.Token)...)
	failed.blocks(&params, shown)
	failed.failed.Instance = instance
	if rep.Failure.said() {
		failed.add("", rep.message())
	}
	if instance.Chatwoot != nil { // may repeat what Chatwoot was sent
		instance.Chatwoot.Error = failed.redact(instance.Chatwoot.Error)
	}
	return instance, failed.err()
}

// blocks adds the blocks of a creation that the reply shows as failed, wherever it
// does. One that the reply does not show may have been set up.
func (p *parts) blocks(asked *CreateInstanceParams, places []shownBlocks) {
	const off = "the reply shows it disabled"
	var webhook, webSocket, chatwoot string // what is wrong with each
	for _, shown := range places {
		if w := shown.Webhook; asked.Webhook != nil && w != nil && w.Enabled.isOff() {
			webhook = off
		}
		if w := shown.WebSocket; asked.WebSocket != nil && w != nil && w.Enabled.isOff() {
			webSocket = off
		}
		if c := shown.Chatwoot; asked.Chatwoot != nil && c != nil {
			chatwoot = cmp.Or(chatwoot, c.fault())
		}
	}
	if webhook != "" {
		p.add("Webhook", webhook)
	}
	if webSocket != "" {
		p.add("WebSocket", webSocket)
	}
	if chatwoot != "" {
		p.addAs(ErrChatwoot, "Chatwoot", chatwoot)
	}
}
