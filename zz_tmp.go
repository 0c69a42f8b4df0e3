package ryze

import "context"

func (i *InstanceClient) listenState(ctx context.Context) (<-chan struct{}, func()) {
	return nil, func() {}
}
