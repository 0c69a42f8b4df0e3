package ryze

import (
	"context"
	"net/url"
)

// AccountClient acts with the token of an account (TokenAccount): it creates,
// lists, gets and deletes instances. Get one from [Client.Account]. It is safe
// for concurrent use.
type AccountClient struct {
	h handle
}

// Client returns the engine that the handle belongs to.
func (a *AccountClient) Client() *Client { return a.h.client }

// RateLimit returns what is known of the account token's quota at this moment.
func (a *AccountClient) RateLimit() RateLimit { return a.h.rateLimit(RateGlobal) }

// String says what it is, not with which token.
func (a *AccountClient) String() string { return "ryze.AccountClient" }

// Instance returns a handle that acts on the instance of that name with the
// account's token. All instances then share the account's quota, and the token
// can delete them: at run time prefer [AccountClient.InstanceFrom]. A bad name
// is reported by the first call.
func (a *AccountClient) Instance(name string) *InstanceClient {
	h := a.h
	h.name, h.raw = name, url.PathEscape(name)
	if h.err == nil {
		h.err = checkInstanceName(name)
	}
	return newInstanceClient(h)
}

// InstanceFrom returns a handle that acts with the instance's own token, as
// found by [AccountClient.CreateInstance], [AccountClient.ListInstances] or
// [AccountClient.GetInstance]. If the service left the token out, the first
// call says so.
func (a *AccountClient) InstanceFrom(instance *Instance) *InstanceClient {
	if instance == nil {
		h := a.h
		h.err = invalid("instance", "is nil")
		return newInstanceClient(h)
	}
	return newInstanceClient(a.h.client.handle(instance.Name, instance.Token.Reveal(), true))
}

// ListInstances returns every instance of the account, each with its own
// token: keep the list where tokens are kept. There is no pagination.
//
// GET /api/instance/list. Safe to repeat.
func (a *AccountClient) ListInstances(ctx context.Context) ([]Instance, error) {
	return a.h.list(ctx, "")
}

// GetInstance returns the instance of exactly that name, case included. It
// refuses an empty name, with which the service would list the whole account.
// [ErrInstanceNotFound] when there is none: never another instance.
//
// GET /api/instance/list. Safe to repeat.
func (a *AccountClient) GetInstance(ctx context.Context, name string) (*Instance, error) {
	if err := checkInstanceName(name); err != nil {
		return nil, err
	}
	return a.h.find(ctx, name)
}

// DeleteInstance logs the instance out and removes it with everything the
// service holds of it, except objects in its own S3 bucket. It cannot be
// undone. [ErrInstanceNotFound] when there is no such instance; a second
// attempt after a lost reply counts that as done.
//
// DELETE /api/instance/delete/:instance. Safe to repeat.
func (a *AccountClient) DeleteInstance(ctx context.Context, name string) error {
	return run(ctx, a.Instance(name).h, opInstanceDelete, input{})
}

// Metrics returns the message counters of several instances summed into one.
// See [InstanceClient.Metrics].
//
// GET /api/instance/metrics/:instance. Safe to repeat.
func (a *AccountClient) Metrics(ctx context.Context, names ...string) (*Metrics, error) {
	return metrics(ctx, a.h, names)
}
