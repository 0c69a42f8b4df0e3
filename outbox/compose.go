package outbox

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	ryze "github.com/ryzeapi/ryze-go"
)

// composed is a message as it is stored.
type composed struct {
	Message
	content     []byte
	options     string
	fingerprint []byte
	source      string
}

// sendOptions are the fields of a Message that are stored together.
type sendOptions struct {
	Delay        time.Duration `json:"delay,omitempty"`
	ReplyTo      string        `json:"replyTo,omitempty"`
	ReplyPrivate bool          `json:"replyPrivate,omitempty"`
	Mention      []ryze.JID    `json:"mention,omitempty"`
	MentionAll   bool          `json:"mentionAll,omitempty"`
	LinkPreview  *bool         `json:"linkPreview,omitempty"`
}

const labelPrefix = "outbox-"

func isLabel(source string) bool { return strings.HasPrefix(source, labelPrefix) }

// compose checks a message and gives it its stored form.
func (o *Outbox) compose(ctx context.Context, m Message) (*composed, error) {
	if err := checkKey(m.Key); err != nil {
		return nil, err
	}
	switch {
	case m.Instance == "" || !isText(m.Instance) || len(m.Instance) > longestName:
		return nil, invalid("Message.Instance", "is empty, no text, or longer than 512 bytes")
	case len(m.To) > longestName:
		return nil, invalid("Message.To", "is longer than 512 bytes")
	case m.Content == nil:
		return nil, invalid("Message.Content", "is nil")
	case m.Priority < -1<<31 || m.Priority > 1<<31-1:
		return nil, invalid("Message.Priority", "is out of range")
	case m.Delay > longestDelay:
		return nil, invalid("Message.Delay", "is longer than an hour") // nothing else goes to the recipient meanwhile
	case m.ReplyPrivate && m.ReplyTo == "":
		return nil, invalid("Message.ReplyPrivate", "needs ReplyTo")
	}
	for field, t := range map[string]time.Time{"Message.NotBefore": m.NotBefore, "Message.ExpiresAt": m.ExpiresAt} {
		if !t.IsZero() && (t.Year() < 1971 || t.Year() > 9999) {
			return nil, invalid(field, "is out of range")
		}
	}
	if !m.ExpiresAt.IsZero() && m.ExpiresAt.Before(m.NotBefore) {
		return nil, invalid("Message.ExpiresAt", "is before NotBefore")
	}
	n := &composed{Message: m, source: labelPrefix + rand.Text()[:20]}
	n.NotBefore, n.ExpiresAt = fromMillis(millis(m.NotBefore)), fromMillis(millis(m.ExpiresAt))
	stored, err := ryze.MarshalContent(m.Content)
	if err != nil {
		return nil, err
	}
	if err := o.rehearse.check(ctx, &Entry{Message: m, Source: n.source}); err != nil {
		return nil, err
	}
	options, err := json.Marshal(sendOptions{m.Delay, m.ReplyTo, m.ReplyPrivate, m.Mention, m.MentionAll, m.LinkPreview})
	if err != nil {
		return nil, err
	}
	n.options = string(options)
	n.fingerprint = fingerprint(sha256.New(), m.Key, m.Instance, lane(m.To), n.options, string(stored))
	n.content = o.sealed(stored, m.Key)
	return n, nil
}

func fingerprint(h hash.Hash, parts ...string) []byte {
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return h.Sum(nil)
}

// What a fingerprint in the database is. A plain one stands beside a content that
// anybody can read; where the content is encrypted or forgotten it would give a
// short code away.
const (
	plainPrint  = 0 // SHA-256
	keyedPrint  = 1 // HMAC of the SHA-256 with the secret of WithForget
	sealedPrint = 2 // the SHA-256, encrypted
)

// concealed is a plain fingerprint as it is stored.
func (c *config) concealed(plain []byte, key string) []byte {
	switch {
	case c.forget != nil:
		return append([]byte{keyedPrint}, c.keyed(plain)...)
	case c.seal != nil:
		return append([]byte{sealedPrint}, c.sealed(plain, "fingerprint "+key)...)
	default:
		return append([]byte{plainPrint}, plain...)
	}
}

// isPrint reports whether a stored fingerprint is that of a message. It may have
// been stored when the options were others.
func (c *config) isPrint(stored, plain []byte, key string) bool {
	if len(stored) == 0 {
		return false
	}
	kind, is := stored[0], stored[1:]
	switch kind {
	case plainPrint:
		return hmac.Equal(is, plain)
	case keyedPrint:
		return c.forget != nil && hmac.Equal(is, c.keyed(plain))
	default:
		is, err := c.unsealed(is, "fingerprint "+key)
		return err == nil && c.seal != nil && hmac.Equal(is, plain)
	}
}

func (c *config) keyed(plain []byte) []byte {
	return fingerprint(hmac.New(sha256.New, c.forget), "fingerprint", string(plain))
}

// longestDelay is more than anybody types.
const longestDelay = time.Hour

// longestName is what the indexes of PostgreSQL surely take.
const longestName = 512

// isText reports whether both stores can hold a string.
func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

func checkKey(key string) error {
	switch {
	case key == "":
		return invalid("Message.Key", "is empty")
	case len(key) > longestName:
		return invalid("Message.Key", "has "+strconv.Itoa(len(key))+" bytes, more than 512")
	case !isText(key):
		return invalid("Message.Key", "is no text")
	}
	return nil
}

// sealed encrypts a content, if the application wants it. The key of the message is
// bound to it, so that contents cannot be exchanged.
func (c *config) sealed(plain []byte, key string) []byte {
	if c.seal == nil {
		return plain
	}
	nonce := make([]byte, c.seal.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	return c.seal.Seal(nonce, nonce, plain, []byte(key))
}

func (c *config) unsealed(stored []byte, key string) ([]byte, error) {
	if c.seal == nil {
		return stored, nil
	}
	if len(stored) < c.seal.NonceSize() {
		return nil, errors.New("outbox: the content was not encrypted")
	}
	nonce, sealed := stored[:c.seal.NonceSize()], stored[c.seal.NonceSize():]
	return c.seal.Open(nil, nonce, sealed, []byte(key))
}

// scan reads an entry. A content that cannot be read, such as that of a newer
// release, is no reason to pass over the entry, or over those after it.
func (o *Outbox) scan(r rows) (*Entry, error) {
	var e Entry
	var to, options, state, chat string
	var content []byte
	var priority, notBefore, expires, added, sent, next, delivered, read int64
	err := r.Scan(&e.ID, &e.Key, &e.Instance, &to, &content, &options, &priority, &notBefore, &expires, &e.Source, &added,
		&state, &e.Reason, &e.Attempts, &sent, &next, &e.MessageID, &chat, &delivered, &read, &e.rev, &e.jobID, &e.stored)
	if err != nil {
		return nil, err
	}
	e.To, e.State, e.Chat, e.Priority = ryze.JID(to), State(state), ryze.JID(chat), ryze.Priority(priority)
	e.NotBefore, e.ExpiresAt, e.AddedAt, e.SentAt = fromMillis(notBefore), fromMillis(expires), fromMillis(added), fromMillis(sent)
	e.NextAt, e.DeliveredAt, e.ReadAt = fromMillis(next), fromMillis(delivered), fromMillis(read)
	var s sendOptions
	if err := json.Unmarshal([]byte(options), &s); err != nil {
		return nil, fmt.Errorf("outbox: the options of entry %d: %w", e.ID, err)
	}
	e.Delay, e.ReplyTo, e.ReplyPrivate, e.Mention, e.MentionAll, e.LinkPreview = s.Delay, s.ReplyTo, s.ReplyPrivate, s.Mention, s.MentionAll, s.LinkPreview
	if content == nil {
		return &e, nil
	}
	plain, err := o.unsealed(content, e.Key)
	if err == nil {
		e.Content, err = ryze.UnmarshalContent(plain)
	}
	if err != nil {
		e.Content, e.unreadable = nil, fmt.Errorf("outbox: the content cannot be read: %w", err)
	}
	return &e, nil
}

// rehearsal makes a send whose request cannot leave, so that Add refuses what Send
// would refuse.
type rehearsal struct{ client *ryze.Client }

type nowhere struct{}

var errNowhere = errors.New("nothing is sent")

func (nowhere) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
	return nil, errNowhere
}

// unmetered gives every call its turn at once, since none leaves.
type unmetered struct{}

func (unmetered) Acquire(ctx context.Context, _ ryze.LimiterRequest) (ryze.Ticket, error) {
	return unmetered{}, ctx.Err()
}
func (unmetered) Rate(ryze.LimiterKey) ryze.RateLimit { return ryze.RateLimit{} }
func (unmetered) Done(ryze.RateLimit)                 {}
func (unmetered) Refused(ryze.RateLimit)              {}
func (unmetered) Cancel()                             {}

func newRehearsal() (*rehearsal, error) {
	client, err := ryze.New(
		ryze.WithHTTPClient(&http.Client{Transport: nowhere{}}),
		ryze.WithRetry(ryze.RetryPolicy{MaxAttempts: 1}), ryze.WithLimiter(unmetered{}),
	)
	return &rehearsal{client}, err
}

func (r *rehearsal) check(ctx context.Context, e *Entry) error {
	_, err := r.client.Instance(e.Instance, "rehearsal").Messages.Send(ctx, e.To, e.Content, e.options()...)
	var bad *ryze.ValidationError
	if errors.As(err, &bad) || errors.Is(err, ryze.ErrMediaSource) {
		return err
	}
	return ctx.Err()
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
