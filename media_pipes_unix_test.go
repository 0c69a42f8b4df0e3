//go:build unix

package ryze

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Pipes are sources that block by nature.
func TestPipesDoNotOutlastTheContext(t *testing.T) {
	name := filepath.Join(t.TempDir(), "photo.png")
	require.NoError(t, syscall.Mkfifo(name, 0o600))
	overBoth(t, nil, func(t *testing.T, inst *InstanceClient) {
		send := func(ctx context.Context, source MediaSource) error {
			return returned(t, func() error {
				_, err := inst.Messages.Send(ctx, "5511987654321", Media{Source: source, MIME: "image/png"})
				return err
			})
		}
		err := send(t.Context(), MediaFile(name))
		require.ErrorIs(t, err, ErrInvalidArgument, "opening it would block, and reading the head would use it up")

		fifo, err := os.OpenFile(name, os.O_RDWR, 0)
		require.NoError(t, err)
		r, w, err := os.Pipe()
		require.NoError(t, err)
		memory, end := io.Pipe()
		for what, c := range map[string]struct {
			source MediaSource
			write  io.Writer
			read   io.Closer
		}{
			"fifo":    {MediaFS(fifo), fifo, fifo},
			"pipe":    {MediaReader("photo.png", r), w, r},
			"io.Pipe": {MediaReader("photo.png", memory), end, memory},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			wrote := make(chan struct{})
			go func() {
				defer close(wrote)
				_, _ = c.write.Write(make([]byte, 2000)) // more than the head
			}()
			err := send(ctx, c.source)
			require.ErrorIs(t, err, context.DeadlineExceeded, what)
			assert.Equal(t, OutcomeNotAccepted, OutcomeOf(err), what)
			cancel()
			_ = c.read.Close() // the time may have been over before anything was read
			<-wrote
		}
		_ = w.Close()
	})
}
