package ryze

import (
	"context"
	"fmt"
	"net/url"
	"time"
)

// ChatwootService connects an instance to an inbox of a Chatwoot installation,
// one for each instance. Calls return [ErrChatwootDisabled] when the server has
// no Chatwoot module.
type ChatwootService service

// ChatwootConfig tells how to reach a Chatwoot account and what to pass on.
type ChatwootConfig struct {
	BaseURL   string // of the Chatwoot installation
	AccountID int    // of the account in Chatwoot, greater than 0
	APIToken  Secret // of a Chatwoot agent who administers the account
	InboxName string // of the inbox that is made

	SignMessages   bool // begin the messages of agents with their names
	IgnoreGroups   bool // do not pass on what happens in groups
	StartAsPending bool // new conversations are pending instead of open
	ReopenResolved bool // a new message reopens a resolved conversation
}

// Format implements [fmt.Formatter] without secrets.
func (c ChatwootConfig) Format(f fmt.State, verb rune) {
	type plain ChatwootConfig
	formatPlain(f, verb, plain(c))
}

func (c *ChatwootConfig) check() error {
	if err := checkFullURL("Chatwoot.BaseURL", c.BaseURL); err != nil {
		return err
	}
	u, _ := url.Parse(c.BaseURL)
	switch {
	case u.User != nil:
		return invalid("Chatwoot.BaseURL", "has credentials; the token goes into APIToken")
	case c.AccountID <= 0:
		return invalid("Chatwoot.AccountID", fmt.Sprintf("is %d, which is not greater than 0", c.AccountID))
	}
	if err := checkText("Chatwoot.APIToken", c.APIToken.Reveal()); err != nil {
		return err
	}
	return checkTexts("Chatwoot", c)
}

// ChatwootActivation is the reply to [ChatwootService.Set].
type ChatwootActivation struct {
	Meta `json:"-"`

	Instance      string
	Status        ChatwootStatus
	IntegrationID string
	Message       string // the service's text
}

// chatwootBody always carries the flags, because what an absent one becomes is
// not documented. Only these routes mix prefixed and plain names.
type chatwootBody struct {
	BaseURL        string `json:"chatwootBaseUrl"`
	AccountID      int    `json:"chatwootAccountId"`
	APIToken       string `json:"chatwootApiToken"`
	InboxName      string `json:"inboxName,omitempty"`
	SignMessages   bool   `json:"signMessages"`
	IgnoreGroups   bool   `json:"ignoreGroups"`
	StartAsPending bool   `json:"startAsPending"`
	ReopenResolved bool   `json:"reopenResolved"`
}

type setChatwootReply struct {
	envelope
	Instance      string         `json:"instance"`
	Status        ChatwootStatus `json:"status"`
	IntegrationID stringOrInt    `json:"bridge_integration_id"`
}

// missing wants the integration only where the reply says that it failed: else the
// status of the reply decides.
func (r *setChatwootReply) missing() string {
	if !r.shows() {
		readInData(r, &r.envelope)
	}
	if !r.shows() {
		return r.unacknowledged(opChatwootSet)
	}
	return ""
}

func (r *setChatwootReply) shows() bool {
	return r.Instance != "" || r.Status != "" || r.IntegrationID != ""
}

// saysFailed leaves out the status: an integration that does not work is there.
func (r *setChatwootReply) saysFailed() bool { return r.Failure.said() }

// Set switches the integration on, or corrects it, and makes an inbox in
// Chatwoot, maybe one each time. The first activation can take a minute.
//
// Errors: [ErrChatwoot] when Chatwoot refuses its own URL, account or token;
// [ErrPartial] when the integration is stored and does not work;
// [ErrOutcomeUnknown]: ask [ChatwootService.Get] first.
//
//	activation, err := inst.Chatwoot.Set(ctx, config)
//	if errors.Is(err, ryze.ErrPartial) {
//		// It is stored, with activation.Status "error"; Chatwoot.LastError of Get says more.
//	}
//
// POST /api/chatwoot/set/:instance. Not safe to repeat.
func (s *ChatwootService) Set(ctx context.Context, config ChatwootConfig) (*ChatwootActivation, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	in := input{
		body: chatwootBody{
			BaseURL: config.BaseURL, AccountID: config.AccountID, APIToken: config.APIToken.Reveal(), InboxName: config.InboxName,
			SignMessages: config.SignMessages, IgnoreGroups: config.IgnoreGroups,
			StartAsPending: config.StartAsPending, ReopenResolved: config.ReopenResolved,
		},
		secrets: []Secret{config.APIToken},
		hint:    "the inbox may exist: read the integration before setting it again",
	}
	r, err := fetchChecked(ctx, s.h, opChatwootSet, in, (*setChatwootReply).missing)
	if err != nil {
		return nil, err
	}
	failed := partsOf(s.h, opChatwootSet, config.APIToken)
	if statusWord(r.Status).meansFailure() {
		failed.addAs(ErrChatwoot, "Chatwoot", "the integration has the status "+quoted(string(r.Status))+": "+r.Text)
	}
	return &ChatwootActivation{
		Meta: r.Meta, Instance: r.Instance, Status: r.Status, IntegrationID: string(r.IntegrationID), Message: failed.redact(r.Text),
	}, failed.err()
}

// Chatwoot is the integration that the service has. Older servers omit the
// token and the four flags: APIToken is then empty and FlagsKnown false. Raw
// holds the token too.
type Chatwoot struct {
	Meta `json:"-"`
	ChatwootConfig

	Instance      string
	Status        ChatwootStatus
	LastError     string // why, when Status says that it failed; without the token
	IntegrationID string
	FlagsKnown    bool
	InboxID       int // 0 until the service has learned it, soon after Set
	CreatedAt     time.Time
}

// Format implements [fmt.Formatter] without secrets.
func (c Chatwoot) Format(f fmt.State, verb rune) {
	type stored struct { // what Chatwoot has beside its configuration
		Instance, LastError, IntegrationID string
		Status                             ChatwootStatus
		FlagsKnown                         bool
		InboxID                            int
		CreatedAt                          time.Time
	}
	type plain struct { // not embedded: the Format of the configuration would print for all
		Meta           Meta
		ChatwootConfig ChatwootConfig
		Stored         stored
	}
	formatPlain(f, verb, plain{c.Meta, c.ChatwootConfig, stored{
		c.Instance, c.LastError, c.IntegrationID, c.Status, c.FlagsKnown, c.InboxID, c.CreatedAt,
	}})
}

type getChatwootReply struct {
	envelope
	Instance      string         `json:"instance_name"`
	Status        ChatwootStatus `json:"status"`
	IntegrationID stringOrInt    `json:"bridge_integration_id"`
	BaseURL       string         `json:"chatwoot_base_url"`
	AccountID     wireInt        `json:"chatwoot_account_id"`
	APIToken      Secret         `json:"chatwoot_api_token"`
	InboxID       wireInt        `json:"chatwoot_inbox_id"`
	InboxName     string         `json:"chatwoot_inbox_name"`
	LastError     string         `json:"last_error"`
	CreatedAt     stringOrInt    `json:"created_at"`

	SignMessages   wireBool `json:"sign_messages"`
	IgnoreGroups   wireBool `json:"ignore_groups"`
	StartAsPending wireBool `json:"start_as_pending"`
	ReopenResolved wireBool `json:"reopen_resolved"`
}

// Get returns the integration. The service asks Chatwoot for up to ten seconds,
// and else tells the last known state. It returns [ErrNotConfigured] when there
// is none.
//
// GET /api/chatwoot/list/:instance. Safe to repeat.
func (s *ChatwootService) Get(ctx context.Context) (*Chatwoot, error) {
	r, err := fetchChecked(ctx, s.h, opChatwootGet, input{}, func(r *getChatwootReply) string {
		if r.Status == "" {
			return "the reply has no status"
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	return &Chatwoot{
		Meta: r.Meta, Instance: r.Instance, Status: r.Status, IntegrationID: string(r.IntegrationID),
		LastError: s.h.auth.redact(r.LastError, r.APIToken),
		ChatwootConfig: ChatwootConfig{
			BaseURL: r.BaseURL, AccountID: int(r.AccountID), APIToken: r.APIToken, InboxName: r.InboxName,
			SignMessages: r.SignMessages.on, IgnoreGroups: r.IgnoreGroups.on,
			StartAsPending: r.StartAsPending.on, ReopenResolved: r.ReopenResolved.on,
		},
		FlagsKnown: r.SignMessages.known && r.IgnoreGroups.known && r.StartAsPending.known && r.ReopenResolved.known,
		InboxID:    int(r.InboxID), CreatedAt: parseTime(r.CreatedAt),
	}, nil
}

// Delete removes the integration. The inbox stays in Chatwoot, except on older
// servers; a new Set makes another. Success does not prove that Chatwoot was
// cleaned up. It returns [ErrNotConfigured] when there is none, except after a
// lost reply.
//
// DELETE /api/chatwoot/delete/:instance. Safe to repeat.
func (s *ChatwootService) Delete(ctx context.Context) error {
	return run(ctx, s.h, opChatwootDelete, input{})
}

// chatwootBlock is the integration in the creation of an instance.
type chatwootBlock struct {
	Enabled        bool   `json:"chatwootEnabled"`
	BaseURL        string `json:"chatwootBaseUrl,omitempty"`
	AccountID      int    `json:"chatwootAccountId,omitempty"`
	APIToken       string `json:"chatwootApiToken,omitempty"`
	InboxName      string `json:"chatwootInboxName,omitempty"`
	SignMessages   bool   `json:"chatwootSignMessages"`
	IgnoreGroups   bool   `json:"chatwootIgnoreGroups"`
	StartAsPending bool   `json:"chatwootStartAsPending"`
	ReopenResolved bool   `json:"chatwootReopenResolved"`
}

// block returns what travels at the creation of an instance; nil is none.
func (c *ChatwootConfig) block() (*chatwootBlock, error) {
	if c == nil {
		return nil, nil
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	return &chatwootBlock{
		true, c.BaseURL, c.AccountID, c.APIToken.Reveal(), c.InboxName,
		c.SignMessages, c.IgnoreGroups, c.StartAsPending, c.ReopenResolved,
	}, nil
}
