package ryze

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/ryzeapi/ryze-go/internal/jsonscan"
	"github.com/ryzeapi/ryze-go/internal/upload"
)

// DownloadOption is an option of a download.
type DownloadOption func(*downloadOptions) error

type downloadOptions struct {
	most  int64
	wait  time.Duration
	limit time.Duration
}

// DownloadLimit sets the largest media to accept, in bytes. Default: 100 MiB.
func DownloadLimit(n int64) DownloadOption {
	return func(o *downloadOptions) error {
		if n <= 0 {
			return invalid("DownloadLimit", "is not positive")
		}
		o.most = n
		return nil
	}
}

// DownloadWait sets how long to ask again for media that the service does not
// have yet: four seconds by default. Zero asks once.
func DownloadWait(d time.Duration) DownloadOption {
	return func(o *downloadOptions) error {
		if d < 0 {
			return invalid("DownloadWait", "is negative")
		}
		o.wait = d
		return nil
	}
}

// DownloadTimeLimit replaces the time limit of an attempt, 120 s. The context's
// deadline still holds.
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
	maxMediaRest         = 64 << 10 // what a reply may have beside its media
	defaultDownloadLimit = 100 << 20
	defaultDownloadWait  = 4 * time.Second
	firstDownloadPause   = 500 * time.Millisecond
)

// Downloaded describes media that were downloaded. Raw is the reply without the
// media.
type Downloaded struct {
	Meta `json:"-"`

	MessageID string
	Kind      MediaKind // image, video, audio, document or sticker
	MIME      string    // as the service says, or else its data URI
	Size      int64     // bytes written
}

// DownloadError says that a download broke off. Throw away what the writer has:
// it is incomplete, and may be another file.
type DownloadError struct {
	MessageID string
	Written   int64 // bytes that the writer has taken
	// Err is the cause: the writer's own error, [ErrMediaTooLarge], or a
	// [*ResponseError] when the reply was cut short, was not base64 or belongs
	// to another message.
	Err error
}

// Error names the message, the bytes written and the cause.
func (e *DownloadError) Error() string {
	return fmt.Sprintf("ryze: %s: the media of message %s ended after %d bytes: %v", opMessageMedia.ID, quoted(e.MessageID), e.Written, e.Err)
}

// Unwrap returns the cause.
func (e *DownloadError) Unwrap() error { return e.Err }

// Download writes the media of a stored message to w, in constant memory. It
// works for images, videos, audios, documents and stickers.
//
// The service stores media shortly after their event. Download asks again until
// [DownloadWait] ends, then returns [ErrMessageNotFound]. After the first byte
// it does not repeat, and errors are a [*DownloadError]. For the forms of
// base64 see docs/service-notes.md.
//
// GET /api/chat/base64/:instance. Safe to repeat.
func (s *MessagesService) Download(ctx context.Context, messageID string, w io.Writer, opts ...DownloadOption) (*Downloaded, error) {
	if w == nil {
		return nil, invalid("writer", "is nil")
	}
	o := downloadOptions{most: defaultDownloadLimit, wait: defaultDownloadWait}
	if err := applyOptions(opts, func(opt DownloadOption) error { return opt(&o) }); err != nil {
		return nil, err
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
		if ended := sleep(ctx, pause); ended != nil {
			return nil, fmt.Errorf("%w, while waiting for the media: %w", err, ended)
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
	mime      string // of a data URI
	rest      []byte // the reply without its media
	found     bool   // the reply had media
	began     bool   // a 2xx reply came
}

func (d *download) run(ctx context.Context, h handle, in input) (result *Downloaded, err error) {
	ctx, in.seen = observeCall(ctx, h.client.config.observer, opMessageMedia, h.name)
	defer in.seen.done(&err)
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
	return &Downloaded{Meta: rep.meta(), MessageID: r.MessageID, Kind: r.MediaType, MIME: cmp.Or(r.MIMEType, d.mime), Size: d.to.taken}, nil
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
	// Line breaks, which an encoder may put in, take less than an eighth.
	if most := upload.EncodedLen(d.to.left); resp.ContentLength > most+most/8+maxMediaRest {
		d.to.err = ErrMediaTooLarge
		return d.to.err
	}
	body := bufio.NewReaderSize(resp.Body, 32<<10)
	rest, err := jsonscan.ReadAround(body, "base64", maxMediaRest, d.decode)
	d.rest = rest
	return err
}

// decode writes the media, unless what came before them says that they are not
// the ones asked for.
func (d *download) decode(before []byte, content io.Reader) error {
	if d.found {
		return errors.New("the reply has two media")
	}
	d.found = true
	var r mediaReply
	if json.Unmarshal(append(bytes.Clone(before), "null}"...), &r) == nil {
		if r.failed() || (r.MessageID != "" && !d.isMine(&r)) {
			return jsonscan.ErrSkip
		}
	}
	text := &base64Text{r: content}
	_, err := io.CopyBuffer(&d.to, base64.NewDecoder(base64.StdEncoding, text), make([]byte, 32<<10))
	d.mime = text.mime
	return err
}

// base64Text brings base64 into its plain form while it is read: without a data
// URI in front and without blanks, in the standard alphabet, padded.
type base64Text struct {
	r    io.Reader
	head []byte // read ahead to look for a data URI, not yet passed on
	mime string // of the data URI
	err  error  // of r

	began    bool
	standard bool // a + or / was read
	url      bool // a - or _ was read
	n        int  // characters passed on, padding included
	padded   bool // an = was read
}

// Read implements [io.Reader].
func (t *base64Text) Read(p []byte) (int, error) {
	if !t.began {
		t.began = true
		if err := t.cutPrefix(); err != nil {
			return 0, err
		}
	}
	if len(p) == 0 {
		return 0, nil
	}
	for {
		n := copy(p, t.head)
		if t.head = t.head[n:]; n == 0 {
			if t.err != nil {
				return t.end(p)
			}
			n, t.err = t.r.Read(p)
		}
		kept, err := t.plain(p[:n])
		if kept > 0 || err != nil {
			return kept, err
		}
	}
}

var errMixedBase64 = errors.New("illegal base64: two alphabets are mixed")

// plain brings p into the standard alphabet and closes the gaps of what is
// skipped.
func (t *base64Text) plain(p []byte) (int, error) {
	kept := 0
	for _, ch := range p {
		switch ch {
		case ' ', '\t', '\r', '\n':
			continue
		case '-':
			ch, t.url = '+', true
		case '_':
			ch, t.url = '/', true
		case '+', '/':
			t.standard = true
		case '=':
			t.padded = true
		}
		p[kept] = ch
		kept++
	}
	t.n += kept
	if t.url && t.standard {
		return 0, errMixedBase64
	}
	return kept, nil
}

// end gives the padding that the URL alphabet leaves out, then the error of r.
func (t *base64Text) end(p []byte) (int, error) {
	if errors.Is(t.err, io.EOF) && t.url && !t.padded && t.n%4 >= 2 {
		t.n++
		p[0] = '='
		return 1, nil
	}
	return 0, t.err
}

// cutPrefix reads ahead as far as it takes to know whether a data URI is in
// front, and takes it off.
func (t *base64Text) cutPrefix() error {
	buf := make([]byte, maxDataPrefix)
	for filled := 0; filled < len(buf) && t.err == nil; {
		var n int
		n, t.err = t.r.Read(buf[filled:])
		filled += n
		t.head = buf[:filled]
		if text := bytes.TrimLeft(t.head, " \t\r\n"); len(text) > 0 && !mayBeDataURI(text) || bytes.IndexByte(text, ',') >= 0 {
			break
		}
	}
	if t.err != nil && !errors.Is(t.err, io.EOF) {
		return t.err
	}
	var rest []byte
	t.mime, rest = cutDataPrefix(t.head)
	t.head = rest
	return nil
}

// mayBeDataURI reports whether a text that begins so can be a data URI.
func mayBeDataURI(text []byte) bool {
	const scheme = "data:"
	n := min(len(text), len(scheme))
	return strings.EqualFold(string(text[:n]), scheme[:n])
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
