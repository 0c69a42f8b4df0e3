package ryze

import "context"

type EventType string
type InstanceState string

const (
	StateConnected InstanceState = "connected"
	StateBanned    InstanceState = "banned"
)

func ParseInstanceState(s string) InstanceState { return InstanceState(s) }
func (i *InstanceClient) listenState(ctx context.Context) (<-chan struct{}, func()) {
	return nil, func() {}
}
