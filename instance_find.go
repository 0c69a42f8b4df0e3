package ryze

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
)

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
