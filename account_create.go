package ryze

import (
	"cmp"
	"context"
	"fmt"
)

// CreateInstanceParams describes a new instance. Only Name is required. The
// same request sets up each block that is not nil.
type CreateInstanceParams struct {
	// Name is unique in the account, case-sensitive, and part of every path.
	// Letters, digits, hyphens and underscores are safe; see
	// docs/service-notes.md.
	Name string
	// Token is the instance's own token, unique in the account. When it is
	// empty the service makes one.
	Token Secret

	Proxy     *ProxyConfig
	Webhook   *WebhookConfig // becomes the webhook labelled "default"
	WebSocket *WebSocketConfig
	Chatwoot  *ChatwootConfig
	Settings  *SettingsUpdate
	Storage   *StorageConfig
}

// Format implements [fmt.Formatter] without secrets.
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
		list = append(list, p.Webhook.secrets()...)
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
	partialReply
	created *wireInstance

	// Whether the blocks are echoed here or inside the instance is not documented.
	shownBlocks
	Data shownBlocks `json:"data"`
}

// shownBlocks are the blocks of a creation that a reply can show.
type shownBlocks struct {
	Webhook   object[wireWebhook]   `json:"webhook"`
	WebSocket object[wireWebSocket] `json:"websocket"`
	Chatwoot  object[wireChatwoot]  `json:"chatwoot"`
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
	return r.unproven(opInstanceCreate, true, true)
}

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

// CreateInstance creates an instance that is not connected yet. Call
// [InstanceClient.Connect] next. The result holds the instance's own token.
//
// When a webhook, WebSocket or Chatwoot block fails, the result comes with
// [ErrPartial]. Set up that block again, not the instance:
//
//	created, err := account.CreateInstance(ctx, params)
//	if err != nil && !errors.Is(err, ryze.ErrPartial) {
//		return err
//	}
//	inst := account.InstanceFrom(created) // err may still name a block that failed
//
// The reply may leave a block out: check with [WebhooksService.Ensure] and
// [WebSocketService.Ensure].
//
// Errors: [ErrQuotaExceeded]; [ErrConflict] when the name exists;
// [ErrOutcomeUnknown]: list the instances first.
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
	failed.addComplaint(&rep.partialReply)
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
		if w := shown.Webhook.value; asked.Webhook != nil && w != nil && w.Enabled.isOff() {
			webhook = off
		}
		if w := shown.WebSocket.value; asked.WebSocket != nil && w != nil && w.Enabled.isOff() {
			webSocket = off
		}
		if c := shown.Chatwoot.value; asked.Chatwoot != nil && c != nil {
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
