package ryze

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stuck is a reader that gives what it has and then blocks until it is let go.
type stuck struct {
	has     io.Reader
	blocked chan struct{} // closed when it blocks
	release chan struct{}
	once    sync.Once
	mu      sync.Mutex
	reads   int
}

func newStuck(bytesBefore int) *stuck {
	png := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), make([]byte, max(0, bytesBefore-16))...)
	return &stuck{has: bytes.NewReader(png[:bytesBefore]), blocked: make(chan struct{}), release: make(chan struct{})}
}

func (s *stuck) Read(p []byte) (int, error) {
	s.mu.Lock() // the race detector sees two at a time
	s.reads++
	s.mu.Unlock()
	if n, err := s.has.Read(p); err == nil {
		return n, nil
	}
	s.once.Do(func() { close(s.blocked) })
	<-s.release
	return 1, nil // and it would go on like that for ever
}

func (s *stuck) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads
}

// stuckSeeker can be read again, if it lets go.
type stuckSeeker struct{ *stuck }

func (s stuckSeeker) Seek(offset int64, whence int) (int64, error) {
	if whence == io.SeekEnd {
		return 1 << 20, nil
	}
	return offset, nil
}

// stuckFile is a file of some file system.
type stuckFile struct{ *stuck }

func (stuckFile) Stat() (fs.FileInfo, error) { return stuckInfo{}, nil }
func (stuckFile) Close() error               { panic("closed") }

type stuckInfo struct{ fs.FileInfo }

func (stuckInfo) IsDir() bool       { return false }
func (stuckInfo) Name() string      { return "photo.png" }
func (stuckInfo) Mode() fs.FileMode { return fs.ModeNamedPipe }

// overBoth runs a test with a handle on a server of each protocol. What the handler
// is nil for is answered with an accepted message when its body was read.
func overBoth(t *testing.T, handler http.HandlerFunc, test func(t *testing.T, inst *InstanceClient)) {
	t.Helper()
	if handler == nil {
		handler = func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.Copy(io.Discard, r.Body); err == nil {
				_, _ = io.WriteString(w, `{"success":true,"status":"sent","data":{"messageId":"X"}}`)
			}
		}
	}
	for _, proto := range []string{"HTTP1", "HTTP2"} {
		t.Run(proto, func(t *testing.T) {
			server := httptest.NewUnstartedServer(handler)
			server.EnableHTTP2 = proto == "HTTP2"
			server.StartTLS()
			defer server.Close()
			client, err := New(WithBaseURL(server.URL), WithHTTPClient(server.Client()), WithRetry(RetryPolicy{MaxAttempts: 2, MinBackoff: time.Nanosecond, MaxBackoff: time.Nanosecond}))
			require.NoError(t, err)
			defer func() { _ = client.Close() }()
			test(t, client.Instance("support", "t0ken-1"))
		})
	}
}

// returned fails the test when call does not return soon.
func returned(t *testing.T, call func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- call() }()
	select {
	case err := <-done:
		return err
	case <-time.After(20 * time.Second):
		t.Fatal("the call has not returned")
		return nil
	}
}

// A source that blocks does not keep a call from returning when its context ends or
// its time is up. No second Read is begun, and the message was not accepted.
func TestCallReturnsWhenItsSourceBlocks(t *testing.T) {
	const jid = JID("5511987654321")
	calls := map[string]func(context.Context, *InstanceClient, MediaSource) error{
		"media": func(ctx context.Context, i *InstanceClient, s MediaSource) error {
			_, err := i.Messages.Send(ctx, jid, Media{Source: s})
			return err
		},
		"sticker": func(ctx context.Context, i *InstanceClient, s MediaSource) error {
			_, err := i.Messages.Send(ctx, jid, &Sticker{Source: s})
			return err
		},
		"call": func(ctx context.Context, i *InstanceClient, s MediaSource) error {
			_, err := i.Calls.PlayAudio(ctx, jid, s)
			return err
		},
		"profile": func(ctx context.Context, i *InstanceClient, s MediaSource) error {
			_, err := i.Profile.Update(ctx, ProfileUpdate{Picture: s})
			return err
		},
		"channel": func(ctx context.Context, i *InstanceClient, s MediaSource) error {
			_, err := i.Newsletters.Create(ctx, CreateNewsletterParams{Name: "a", Image: s})
			return err
		},
		"community": func(ctx context.Context, i *InstanceClient, s MediaSource) error {
			_, err := i.Communities.Create(ctx, CreateCommunityParams{Name: "a", Image: s})
			return err
		},
	}
	sources := map[string]func(*stuck) MediaSource{
		"reader": func(s *stuck) MediaSource { return MediaReader("photo.png", s) },
		"seeker": func(s *stuck) MediaSource { return MediaReader("photo.png", stuckSeeker{s}) },
		"file":   func(s *stuck) MediaSource { return MediaFS(stuckFile{s}) },
	}
	overBoth(t, nil, func(t *testing.T, inst *InstanceClient) {
		for before, where := range map[int]string{0: "at once", 100: "in its head", 600: "behind its head", 100_000: "far behind"} {
			for kind, source := range sources {
				for what, call := range calls {
					if kind == "seeker" && before == 600 {
						continue // its Seek goes nowhere: the head has used up the rest
					}
					name := what + " " + kind + " " + where
					s := newStuck(before)
					src := source(s)
					ctx, cancel := context.WithCancel(t.Context())
					go func() { <-s.blocked; cancel() }()
					err := returned(t, func() error { return call(ctx, inst, src) })
					require.ErrorIs(t, err, context.Canceled, name)
					require.NotErrorIs(t, err, ErrOutcomeUnknown, name)
					assert.Equal(t, OutcomeNotAccepted, OutcomeOf(err), name)

					reads := s.count()
					err = returned(t, func() error { return call(t.Context(), inst, src) })
					require.Error(t, err, "%s: while the reader is still read", name)
					assert.Equal(t, OutcomeNotAccepted, OutcomeOf(err), name)
					assert.Equal(t, reads, s.count(), "%s: a Read that was begun beside another", name)
					close(s.release)
				}
			}
		}
	})
}

// The time limit of an attempt counts for a source that blocks too.
func TestTimeLimitEndsASendWhoseSourceBlocks(t *testing.T) {
	overBoth(t, nil, func(t *testing.T, inst *InstanceClient) {
		for _, before := range []int{0, 100, 600, 100_000} {
			s := newStuck(before)
			err := returned(t, func() error {
				_, err := inst.Messages.Send(t.Context(), "5511987654321", Media{Source: MediaReader("photo.png", s)}, TimeLimit(50*time.Millisecond))
				return err
			})
			require.ErrorIs(t, err, context.DeadlineExceeded, before)
			assert.Equal(t, OutcomeNotAccepted, OutcomeOf(err), before)
			close(s.release)
		}
	})
}

// A reader that panics, or gives nothing for ever, is a source that fails.
func TestReadersThatMisbehaveAreAnError(t *testing.T) {
	broken := errors.New("broken")
	for what, r := range map[string]io.Reader{
		"panics at once": readerFunc(func([]byte) (int, error) { panic(broken) }),
		"panics later":   io.MultiReader(bytes.NewReader(make([]byte, 100_000)), readerFunc(func([]byte) (int, error) { panic(broken) })),
		"nothing":        readerFunc(func([]byte) (int, error) { return 0, nil }),
		"nothing later":  io.MultiReader(bytes.NewReader(make([]byte, 100_000)), readerFunc(func([]byte) (int, error) { return 0, nil })),
	} {
		overBoth(t, nil, func(t *testing.T, inst *InstanceClient) {
			err := returned(t, func() error {
				_, err := inst.Messages.Send(t.Context(), "5511987654321", Media{Source: MediaReader("a.bin", r)})
				return err
			})
			require.Error(t, err, what)
			assert.Equal(t, OutcomeNotAccepted, OutcomeOf(err), what)
		})
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// A reply that comes before the body was sent ends the reading of it.
func TestEarlyReplyEndsTheReadingOfTheSource(t *testing.T) {
	early := func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex() // HTTP/2 always does
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		_, _ = io.WriteString(w, `{"success":false,"error":{"message":"too large"}}`)
	}
	overBoth(t, early, func(t *testing.T, inst *InstanceClient) {
		s := newStuck(100_000)
		err := returned(t, func() error {
			_, err := inst.Messages.Send(t.Context(), "5511987654321", Media{Source: MediaReader("photo.png", s)})
			return err
		})
		require.Error(t, err)
		assert.Equal(t, OutcomeNotAccepted, OutcomeOf(err))
		close(s.release)
	})
}
