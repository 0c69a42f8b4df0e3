package ryze

import (
	"context"
	"net/url"
)

// AccountClient acts with the token of an account: it creates, lists, gets and
// deletes instances. It is safe for concurrent use.
type AccountClient struct {
	h handle
}

// Client returns the engine that the handle belongs to.
func (a *AccountClient) Client() *Client { return a.h.client }

// RateLimit returns what is known now of the quota of the account's token.
func (a *AccountClient) RateLimit() RateLimit { return a.h.rateLimit(RateGlobal) }

// String names the kind of the handle. It never shows the token.
func (a *AccountClient) String() string { return "ryze.AccountClient" }

// Instance returns a handle that acts on the named instance with the account's
// token and quota. This token can delete instances: prefer
// [AccountClient.InstanceFrom]. The first call reports a bad name.
func (a *AccountClient) Instance(name string) *InstanceClient {
	h := a.h
	h.name, h.raw = name, url.PathEscape(name)
	if h.err == nil {
		h.err = checkInstanceName(name)
	}
	return newInstanceClient(h)
}

// InstanceFrom returns a handle that acts with the instance's own token. When
// the service left the token out, the first call says so.
func (a *AccountClient) InstanceFrom(instance *Instance) *InstanceClient {
	if instance == nil {
		h := a.h
		h.err = invalid("instance", "is nil")
		return newInstanceClient(h)
	}
	return newInstanceClient(a.h.client.handle(instance.Name, instance.Token.Reveal(), true))
}

// ListInstances returns all instances of the account, without paging. Each has
// its own token: keep the list secret.
//
// GET /api/instance/list. Safe to repeat.
func (a *AccountClient) ListInstances(ctx context.Context) ([]Instance, error) {
	return a.h.list(ctx, "")
}

// GetInstance returns the instance with exactly this name, case included. The
// name must not be empty. It returns [ErrInstanceNotFound] when there is none.
//
// GET /api/instance/list. Safe to repeat.
func (a *AccountClient) GetInstance(ctx context.Context, name string) (*Instance, error) {
	if err := checkInstanceName(name); err != nil {
		return nil, err
	}
	return a.h.find(ctx, name)
}

// DeleteInstance logs the instance out and deletes it with its data. Objects in
// its own S3 bucket stay. It returns [ErrInstanceNotFound] when there is none,
// except after a lost reply.
//
// DELETE /api/instance/delete/:instance. Safe to repeat.
func (a *AccountClient) DeleteInstance(ctx context.Context, name string) error {
	return run(ctx, a.Instance(name).h, opInstanceDelete, input{})
}

// Metrics returns the sum of the message counters of several instances. See
// [InstanceClient.Metrics].
//
// GET /api/instance/metrics/:instance. Safe to repeat.
func (a *AccountClient) Metrics(ctx context.Context, names ...string) (*Metrics, error) {
	return metrics(ctx, a.h, names)
}
