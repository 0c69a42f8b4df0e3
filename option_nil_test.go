package ryze_test

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// Whoever takes options refuses one that is nil, in the same words, before any
// request.
func TestANilOptionIsRefusedEverywhere(t *testing.T) {
	srv, line, httpClient := ryzetest.New(t)
	client, err := ryze.New(ryze.WithBaseURL(srv.URL), ryze.WithHTTPClient(httpClient))
	require.NoError(t, err)
	inst := client.Instance(line.Name(), line.Token())
	ctx := t.Context()
	handle := func(context.Context, *ryze.Event) error { return nil }
	_, uncertain := inst.Messages.SendText(ctx, "5511987654321", "Hello", ryze.TimeLimit(1))
	for name, call := range map[string]func() error{
		"New":                func() error { _, err := ryze.New(nil); return err },
		"FromEnv":            func() error { _, err := ryze.FromEnv(nil); return err },
		"NewAccountClient":   func() error { _, err := ryze.NewAccountClient("t0ken", nil); return err },
		"NewInstanceClient":  func() error { _, err := ryze.NewInstanceClient("line", "t0ken", nil); return err },
		"Send":               func() error { _, err := inst.Messages.SendText(ctx, "5511987654321", "Hello", nil); return err },
		"PostStatus":         func() error { _, err := inst.Messages.PostStatus(ctx, ryze.TextStatus{Text: "News"}, nil); return err },
		"Download":           func() error { _, err := inst.Messages.Download(ctx, "3EB0", io.Discard, nil); return err },
		"Settle":             func() error { _, err := inst.Messages.Settle(ctx, uncertain, nil); return err },
		"Find":               func() error { _, err := inst.Messages.Find(ctx, ryze.Attempt{}, nil); return err },
		"Subscribe":          func() error { _, err := inst.Subscribe(ctx, nil); return err },
		"NewInbox":           func() error { _, err := ryze.NewInbox(handle, nil); return err },
		"NewWebhookReceiver": func() error { _, err := ryze.NewWebhookReceiver("secret", handle, nil); return err },
	} {
		require.ErrorIs(t, call(), ryze.ErrInvalidArgument, name)
	}
	assert.Empty(t, line.Sent())
}
