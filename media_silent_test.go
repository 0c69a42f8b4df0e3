//go:build unix

package ryze_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// A reader that does not answer holds a send up no longer than its context
// allows, wherever in the file it falls silent.
func TestASilentReaderDoesNotOutlastTheContext(t *testing.T) {
	for _, tls := range []bool{false, true} {
		for _, given := range []int{0, 100, 600, 100 << 10} {
			for _, limited := range []bool{false, true} {
				t.Run(fmt.Sprintf("HTTP2=%v, %d bytes, time limit=%v", tls, given, limited), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						var opts []ryzetest.Option
						if tls {
							opts = append(opts, ryzetest.WithTLS())
						}
						srv, line, httpClient := ryzetest.New(t, opts...)
						client, err := ryze.NewInstanceClient(line.Name(), line.Token(), ryze.WithBaseURL(srv.URL), ryze.WithHTTPClient(httpClient))
						require.NoError(t, err)
						silent, writer := io.Pipe()
						defer writer.Close()
						go func() { _, _ = writer.Write(make([]byte, given)) }()

						ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
						defer cancel()
						var options []ryze.SendOption
						if limited {
							options = append(options, ryze.TimeLimit(3*time.Second))
						}
						began := time.Now()
						_, err = client.Messages.Send(ctx, "5511987654321", ryze.Media{Source: ryze.MediaReader("a.pdf", silent)}, options...)
						require.ErrorIs(t, err, context.DeadlineExceeded)
						require.NotErrorIs(t, err, ryze.ErrOutcomeUnknown, "the request was never whole")
						assert.LessOrEqual(t, time.Since(began), 5*time.Second)
						assert.Empty(t, line.Sent())
					})
				})
			}
		}
	}
}

// A named pipe would wait for ever for somebody who writes, and what was read of
// it to tell its type would be lost.
func TestANamedPipeIsRefused(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Skip(err)
	}
	client, err := ryze.NewInstanceClient("line", "t0ken")
	require.NoError(t, err)
	for _, path := range []string{name, os.DevNull} {
		_, err = client.Messages.Send(t.Context(), "5511987654321", ryze.Media{Source: ryze.MediaFile(path)})
		require.ErrorIs(t, err, ryze.ErrInvalidArgument)
	}
}
