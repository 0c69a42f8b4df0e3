package ryze

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
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
	return a.h.client.Instance(instance.Name, instance.Token.Reveal())
}

// list asks for the instances that the token sees; an empty filter asks for
// all, and is left out, because the service would take an empty value the same
// way whether meant or not.
func (h handle) list(ctx context.Context, filter string) ([]Instance, error) {
	var in input
	if filter != "" {
		in.query = url.Values{"instanceName": {filter}}.Encode()
	}
	var list []json.RawMessage
	rep, err := fetchChecked(ctx, h, opInstanceList, in, func(e *envelope) (missing string) {
		list, missing = listIn(e.Raw(), "instances")
		return missing
	})
	if err != nil {
		return nil, err
	}
	// One that cannot be read stays in: whoever counts instances must not find
	// fewer than there are.
	return readItems(list, rep.RateLimit, func(w *wireInstance, meta Meta) Instance { return *w.instance(meta) }), nil
}

// find returns the instance of exactly that name, never a neighbour: the
// service ignores the filter under an instance's token.
func (h handle) find(ctx context.Context, name string) (*Instance, error) {
	filter := name
	if strings.Contains(name, ",") {
		filter = "" // a comma would make two names of it
	}
	instances, err := h.list(ctx, filter)
	if err != nil {
		return nil, err
	}
	for i := range instances {
		if instances[i].Name == name {
			return &instances[i], nil
		}
	}
	e := &InstanceNotFoundError{Name: name}
	if len(instances) == 1 && filter != "" {
		e.TokenOf = instances[0].Name
	}
	return nil, e
}

// InstanceNotFoundError says that the service's list does not hold an instance
// of exactly the name asked for. It matches [ErrInstanceNotFound] and
// [ErrNotFound].
type InstanceNotFoundError struct {
	Name string
	// TokenOf is the name of the instance that the service returned instead,
	// which is the one that the token belongs to.
	TokenOf string
}

// Error names the instance, and the one that the token belongs to.
func (e *InstanceNotFoundError) Error() string {
	text := "ryze: no instance is named " + quoted(e.Name)
	if e.TokenOf != "" {
		text += "; the token belongs to the instance " + quoted(e.TokenOf)
	}
	return text
}

// Is matches [ErrInstanceNotFound] and [ErrNotFound].
func (e *InstanceNotFoundError) Is(target error) bool {
	return target == ErrInstanceNotFound || target == ErrNotFound
}

// ListInstances returns every instance of the account, each with its own
// token: keep the list where tokens are kept. There is no pagination.
//
// GET /api/instance/list. Safe to repeat.
func (a *AccountClient) ListInstances(ctx context.Context) ([]Instance, error) {
	return a.h.list(ctx, "")
}

// GetInstance returns the instance of exactly that name, case included. It
// refuses an empty name, with which the service would list the whole account,
// and returns an [*InstanceNotFoundError] or an [*APIError], both matching
// [ErrInstanceNotFound], when there is none: never another instance.
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
