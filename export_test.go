package ryze

import "context"

// Tests that use the simulator are in package ryze_test, so that ryzetest may
// import this package. Here is what they need from the inside.

// Limits whose effect is seen from outside.
const (
	ConnectPoll  = connectPoll
	MaxBareState = maxBareState
	MaxErrorBody = maxErrorBody
	PingAfter    = pingAfter
	PingWait     = pingWait
	StoreTimeout = storeTimeout
)

var (
	DecodeBase64     = decodeBase64     // of the picture of a code
	DefaultTransport = defaultTransport // with another dialer
)

// Lanes and Places tell that nothing is left behind.
func (in *Inbox) Lanes() int  { return len(in.lanes.byName) }
func (in *Inbox) Places() int { return in.places }

// Lines is how many chats are locked or waited for.
func (m *MemoryChatLocks) Lines() int { return len(m.lines) }

// LaneNames returns the instance and the chat, or the type, of each lane of e.
func LaneNames(e *Event) [][2]string {
	var list [][2]string
	for _, name := range new(addressBook).names(nil, e) {
		list = append(list, [2]string{name.instance, name.chat + string(name.other)})
	}
	return list
}

// Differences names the fields that a second Ensure would still write.
func (c *WebhookConfig) Differences(stored *Webhook) []string     { return c.differences(stored) }
func (c *WebSocketConfig) Differences(stored *WebSocket) []string { return c.differences(stored) }

// SetCompare counts the comparisons, whose time cannot be asserted.
func (r *WebhookReceiver) SetCompare(compare func(a, b []byte) int) { r.compare = compare }

// CloseIdle makes the next request open a connection.
func (c *Client) CloseIdle() { c.transport.CloseIdle() }

// LimiterKey has the scope, which is not told elsewhere.
func (i *InstanceClient) LimiterKey(class RateClass) LimiterKey { return i.h.key(class) }

// What the tests of both packages share.
const (
	Ana           = ana
	AnaFull       = anaFull
	AnaLID        = anaLID
	ChatwootToken = chatwootToken
	Family        = family
	PNG           = png
)

var (
	Noon    = noon
	PNGHead = pngHead

	Accept              = accept
	GapOf               = gapOf
	NewSource           = newSource
	Quickly             = quickly
	Targets             = targets
	TextOf              = textOf
	TypedNil            = typedNil
	WholeChatwootConfig = chatwootConfig
)

type Source = source

// ClaimWith is a claim with something before its methods, which fail when that fails.
type ClaimWith struct {
	DedupeClaim

	OnCommit, OnRelease func(context.Context) error
}

func (c ClaimWith) Commit(ctx context.Context) error {
	if err := c.OnCommit(ctx); err != nil {
		return err
	}
	return c.DedupeClaim.Commit(ctx)
}

func (c ClaimWith) Release(ctx context.Context) error {
	if err := c.OnRelease(ctx); err != nil {
		return err
	}
	return c.DedupeClaim.Release(ctx)
}

// ClaimBefore claims a key, with something before Commit and Release.
func (m *MemoryDedupe) ClaimBefore(ctx context.Context, key string, commit, release func(context.Context) error) (DedupeClaim, error) {
	claim, err := m.Claim(ctx, key)
	if claim == nil {
		return nil, err
	}
	return ClaimWith{claim, commit, release}, nil
}
