package ryze

import (
	"context"
	"encoding/json"
	"fmt"
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
	return readItems(list, rep.RateLimit, func(w *wireInstance, meta Meta) Instance { return *w.instance(h.auth, meta) }), nil
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
	if len(instances) == 1 && filter != "" {
		return nil, fmt.Errorf("ryze: no instance is named %s, and the token belongs to the instance %s: %w", quoted(name), quoted(instances[0].Name), ErrInstanceNotFound)
	}
	return nil, fmt.Errorf("ryze: no instance is named %s: %w", quoted(name), ErrInstanceNotFound)
}
