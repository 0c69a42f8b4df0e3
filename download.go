package ryze

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// ErrMediaTooLarge says that the media is larger than the limit of a download.
var ErrMediaTooLarge = errors.New("media is larger than the limit")

// DownloadOption changes how a download is made.
type DownloadOption func(*downloadOptions) error

type downloadOptions struct {
	most  int64
	wait  time.Duration
	limit time.Duration
}

// DownloadLimit sets the largest media that is accepted, in bytes. Default: 100
// MiB.
func DownloadLimit(n int64) DownloadOption {
	return func(o *downloadOptions) error {
		if n <= 0 {
			return invalid("DownloadLimit", "is not positive")
		}
		o.most = n
		return nil
	}
}

// DownloadWait sets how long to go on asking for media that the service does
// not have. It needs a moment to store media after their event. Default: four
// seconds; zero asks once.
func DownloadWait(d time.Duration) DownloadOption {
	return func(o *downloadOptions) error {
		if d < 0 {
			return invalid("DownloadWait", "is negative")
		}
		o.wait = d
		return nil
	}
}

// DownloadTimeLimit replaces the time limit of an attempt, 120 s, for large
// media over a slow line. The context's deadline holds all the same.
func DownloadTimeLimit(d time.Duration) DownloadOption {
	return func(o *downloadOptions) error {
		if d <= 0 {
			return invalid("DownloadTimeLimit", "is not positive")
		}
		o.limit = d
		return nil
	}
}

const (
	defaultDownloadLimit = 100 << 20
	defaultDownloadWait  = 4 * time.Second
	firstDownloadPause   = 500 * time.Millisecond
)

// Downloaded describes media that were downloaded. Its Raw is the reply without
// the media.
type Downloaded struct {
	Meta `json:"-"`

	MessageID string
	Kind      MediaKind // image, video, audio, document or sticker
	MIME      string
	Size      int64 // bytes written
}

// DownloadError says that a download ended before its end. What the writer has
// taken by then is not the whole file and may be another one's: throw it away.
type DownloadError struct {
	MessageID string
	Written   int64 // bytes that the writer has taken
	// Err is the cause: the writer's own error, [ErrMediaTooLarge], or a
	// [*ResponseError] when the reply was cut short, was not base64 or belongs
	// to another message.
	Err error
}

// Error names the message, how far it came and the cause.
func (e *DownloadError) Error() string {
	return fmt.Sprintf("ryze: %s: the media of message %s ended after %d bytes: %v", opMessageMedia.ID, quoted(e.MessageID), e.Written, e.Err)
}

// Unwrap returns the cause.
func (e *DownloadError) Unwrap() error { return e.Err }

// Download writes the media of a stored message to w, whatever their size in
// constant memory. It serves images, videos, audios, documents and stickers.
//
// The service stores media shortly after their event; until then it answers
// that there are none. Download asks again for a while, see [DownloadWait], and
// then returns [ErrMessageNotFound]. Nothing is repeated once a byte has
// reached w: from then on errors are a [*DownloadError]. On any error, what w
// has taken is to be thrown away.
//
// GET /api/chat/base64/:instance. Safe to repeat.
func (s *MessagesService) Download(ctx context.Context, messageID string, w io.Writer, opts ...DownloadOption) (*Downloaded, error) {
	if w == nil {
		return nil, invalid("writer", "is nil")
	}
	o := downloadOptions{most: defaultDownloadLimit, wait: defaultDownloadWait}
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return nil, err
		}
	}
	in, err := messageQuery(messageID)
	if err != nil {
		return nil, err
	}
	in.limit = o.limit
	for pause := firstDownloadPause; ; pause *= 2 {
		d := &download{messageID: messageID, to: boundedWriter{w: w, left: o.most}}
		in.sink, in.passed = d.sink, d.passed
		media, err := d.run(ctx, s.h, in)
		pause = min(pause, o.wait)
		if err == nil || pause <= 0 || !errors.Is(err, ErrMessageNotFound) {
			return media, err
		}
		o.wait -= pause
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, fmt.Errorf("%w, while waiting for the media: %w", err, ctx.Err())
		case <-timer.C:
		}
	}
}

type mediaReply struct {
	envelope
	MessageID string    `json:"message_id"`
	MIMEType  string    `json:"mime_type"`
	MediaType MediaKind `json:"media_type"`
}

// download is one attempt.
type download struct {
	messageID string
	to        boundedWriter
	rest      []byte // the reply without its media
	found     bool   // the reply had media
	began     bool   // a 2xx reply came
}

func (d *download) run(ctx context.Context, h handle, in input) (*Downloaded, error) {
	rep, err := h.client.call(ctx, h, opMessageMedia, in)
	if err != nil {
		if d.to.err != nil { // the writer's fault, not the reply's
			err = d.to.err
		}
		return nil, d.failed(err)
	}
	rep.body = d.rest
	var r mediaReply
	if err := rep.decode(opMessageMedia, &r); err != nil {
		return nil, d.failed(err)
	}
	switch err := r.failure(opMessageMedia, rep); {
	case err != nil:
		return nil, d.failed(err)
	case !d.isMine(&r):
		return nil, d.failed(rep.unreadable(opMessageMedia, "the reply is not about the message asked for", nil))
	case !d.found || d.to.taken == 0:
		return nil, d.failed(rep.unreadable(opMessageMedia, "the reply has no media", nil))
	}
	return &Downloaded{Meta: rep.meta(), MessageID: r.MessageID, Kind: r.MediaType, MIME: r.MIMEType, Size: d.to.taken}, nil
}

func (d *download) isMine(r *mediaReply) bool { return r.MessageID == d.messageID }

// failed tells how much was written, unless the service refused before that.
func (d *download) failed(err error) error {
	var refused *APIError
	if !d.began || (d.to.taken == 0 && errors.As(err, &refused)) {
		return err
	}
	return &DownloadError{MessageID: d.messageID, Written: d.to.taken, Err: err}
}

// passed reports whether a part of the media has been written.
func (d *download) passed() bool { return d.to.taken > 0 || d.to.err != nil }

// sink reads the body of a 2xx reply.
func (d *download) sink(resp *http.Response) error {
	d.began, d.found, d.rest = true, false, nil
	if resp.ContentLength > encodedLen(d.to.left)+maxMediaRest {
		d.to.err = ErrMediaTooLarge
		return d.to.err
	}
	body := bufio.NewReaderSize(resp.Body, 32<<10)
	rest, err := scanReply(body, "base64", d.decode)
	d.rest = rest
	return err
}

// decode writes the media, unless what came before them says that they are not
// the ones asked for.
func (d *download) decode(before []byte, content *stringReader) error {
	if d.found {
		return errors.New("the reply has two media")
	}
	d.found = true
	var r mediaReply
	if json.Unmarshal(append(bytes.Clone(before), "null}"...), &r) == nil {
		if r.failed() || (r.MessageID != "" && !d.isMine(&r)) {
			return errSkip
		}
	}
	_, err := io.CopyBuffer(&d.to, base64.NewDecoder(base64.StdEncoding, content), make([]byte, 32<<10))
	return err
}

// boundedWriter counts what a writer takes, and stops at a limit.
type boundedWriter struct {
	w           io.Writer
	left, taken int64
	err         error // of the writer, or ErrMediaTooLarge
}

func (b *boundedWriter) Write(p []byte) (int, error) {
	over := int64(len(p)) > b.left
	if over {
		p = p[:b.left]
	}
	n := 0
	if len(p) > 0 {
		n, b.err = b.w.Write(p)
		b.left -= int64(n)
		b.taken += int64(n)
	}
	switch {
	case b.err != nil:
	case n < len(p):
		b.err = io.ErrShortWrite
	case over:
		b.err = ErrMediaTooLarge
	}
	return n, b.err
}

// maxMediaRest bounds what a reply has beside its media.
const maxMediaRest = 64 << 10

// errSkip ends a scan without an error.
var errSkip = errors.New("skip the rest")

// scanReply reads a JSON object in constant memory. The content of the string
// that is the object's member of that name goes to take, together with what
// came before it; all else is returned, with an empty string in its place. It
// does not check that what it returns is JSON.
func scanReply(r *bufio.Reader, member string, take func(before []byte, content *stringReader) error) ([]byte, error) {
	var rest []byte
	depth, atKey, mine := 0, false, false
	for {
		b, err := r.ReadByte()
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return rest, nil
		}
		if err != nil {
			return rest, err
		}
		switch b {
		case '{', '[':
			depth++
			atKey = depth == 1
		case '}', ']':
			depth--
		case ',':
			atKey = depth == 1
		case ':':
			atKey = atKey && depth != 1
		case '"':
			if depth == 1 && !atKey && mine {
				content := &stringReader{r: r}
				if err := take(rest, content); err != nil {
					if errors.Is(err, errSkip) {
						return append(rest, "null}"...), nil
					}
					return rest, err
				}
				rest = append(rest, `""`...)
				mine = false
				continue
			}
			text, err := readString(r, maxMediaRest-len(rest))
			if err != nil {
				return rest, err
			}
			rest = append(rest, text...)
			if depth == 1 && atKey {
				var key string
				mine = json.Unmarshal(text, &key) == nil && key == member
			}
			continue
		}
		if len(rest) >= maxMediaRest {
			return rest, errLongRest
		}
		rest = append(rest, b)
	}
}

var errLongRest = errors.New("the reply has too much beside the media")

// readString returns the rest of a JSON string as it is, quotes included.
func readString(r *bufio.Reader, most int) ([]byte, error) {
	text := []byte{'"'}
	for escaped := false; ; {
		b, err := r.ReadByte()
		if err != nil {
			return nil, unexpected(err)
		}
		if len(text) >= most {
			return nil, errLongRest
		}
		text = append(text, b)
		if b == '"' && !escaped {
			return text, nil
		}
		escaped = b == '\\' && !escaped
	}
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// stringReader reads the content of a JSON string up to its closing quote.
type stringReader struct {
	r     *bufio.Reader
	ended bool
}

// Read implements [io.Reader].
func (s *stringReader) Read(p []byte) (int, error) {
	if s.ended {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	if _, err := s.r.Peek(1); err != nil {
		return 0, unexpected(err)
	}
	window, _ := s.r.Peek(min(s.r.Buffered(), len(p))) // what is buffered is there
	n := bytes.IndexByte(window, '"')
	if n < 0 {
		n = len(window)
	}
	if e := bytes.IndexByte(window[:n], '\\'); e >= 0 {
		n = e
	}
	if n > 0 {
		copy(p, window[:n])
		_, err := s.r.Discard(n)
		return n, err
	}
	b, err := s.r.ReadByte()
	if err != nil {
		return 0, unexpected(err)
	}
	if b == '"' {
		s.ended = true
		return 0, io.EOF
	}
	if p[0], err = s.escape(); err != nil {
		return 0, err
	}
	return 1, nil
}

// escape reads what follows a backslash. Base64 needs none, but an encoder may
// write "\/" or "\u002b".
func (s *stringReader) escape() (byte, error) {
	b, err := s.r.ReadByte()
	if err != nil {
		return 0, unexpected(err)
	}
	switch b {
	case 'n', 'r':
		return '\n', nil // skipped by the decoder
	case 'u':
		var hex [4]byte
		if _, err := io.ReadFull(s.r, hex[:]); err != nil {
			return 0, unexpected(err)
		}
		if n, err := strconv.ParseUint(string(hex[:]), 16, 7); err == nil {
			return byte(n), nil
		}
		return 0, errors.New("illegal base64: a character outside ASCII")
	default:
		return b, nil
	}
}
