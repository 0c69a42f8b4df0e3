package ryzetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"
)

var errBase64 = errors.New("illegal base64 data")

// payload takes the text of a media field as it streams by: base64, with or
// without a data: prefix, or a URL. It knows size and hash of what the base64
// says, and holds the bytes only up to a bound.
type payload struct {
	url    string // the value, when it is a URL
	empty  bool
	size   int64
	sum    hash.Hash
	head   []byte // the first 512 bytes, to tell the MIME type
	mime   string // of the data: prefix
	data   []byte // everything, nil when it was too large
	keep   int64
	failed error

	mode    payloadMode
	pending []byte // text that is not decoded yet
}

type payloadMode int

const (
	modeUnknown payloadMode = iota // too little text to tell
	modeURL
	modeBase64
	modePadded // after the padding: nothing may follow
)

const maxURL = 8 << 10

func newPayload(keep int64) *payload {
	return &payload{keep: keep, sum: sha256.New(), empty: true}
}

// Write takes more of the text. It never fails: what is wrong is kept for close.
func (p *payload) Write(text []byte) (int, error) {
	if len(text) == 0 || p.failed != nil {
		return len(text), nil //nolint:nilerr // close reports it
	}
	p.empty = false
	switch p.mode {
	case modeUnknown:
		p.pending = append(p.pending, text...)
		p.classify(false)
	case modeURL:
		if len(p.url)+len(text) > maxURL {
			p.failed = errors.New("URL too long")
			return len(text), nil
		}
		p.url += string(text)
	case modePadded:
		p.failed = errBase64
	default:
		p.decode(text, false)
	}
	return len(text), nil
}

// classify decides what the text is, as soon as enough of it is there.
func (p *payload) classify(last bool) {
	if len(p.pending) < 8 && !last {
		return
	}
	text := string(p.pending)
	switch {
	case strings.HasPrefix(text, "http://"), strings.HasPrefix(text, "https://"):
		p.mode, p.url, p.pending = modeURL, text, nil
		return
	case strings.HasPrefix(text, "data:"):
		meta, rest, ok := strings.Cut(text, ",")
		if !ok {
			if last || len(text) > 512 {
				p.failed = errBase64
			}
			return
		}
		p.mime = strings.TrimSuffix(strings.TrimPrefix(meta, "data:"), ";base64")
		p.mode, p.pending = modeBase64, nil
		p.decode([]byte(rest), last)
	default:
		p.mode, p.pending = modeBase64, nil
		p.decode([]byte(text), last)
	}
}

func (p *payload) decode(text []byte, last bool) {
	p.pending = append(p.pending, text...)
	whole := len(p.pending) / 4 * 4
	enc := base64.StdEncoding
	if last && whole < len(p.pending) {
		whole, enc = len(p.pending), base64.RawStdEncoding
	}
	out := make([]byte, enc.DecodedLen(whole))
	n, err := enc.Decode(out, p.pending[:whole])
	if err != nil {
		p.failed = errBase64
		return
	}
	if bytes.HasSuffix(p.pending[:whole], []byte("=")) {
		p.mode = modePadded
		if whole < len(p.pending) {
			p.failed = errBase64
			return
		}
	}
	p.pending = append(p.pending[:0], p.pending[whole:]...)
	p.take(out[:n])
}

func (p *payload) take(b []byte) {
	p.sum.Write(b)
	p.size += int64(len(b))
	if room := 512 - len(p.head); room > 0 {
		p.head = append(p.head, b[:min(room, len(b))]...)
	}
	if p.size > p.keep {
		p.data = nil
		return
	}
	p.data = append(p.data, b...)
}

// close ends the text and reports what was wrong with it.
func (p *payload) close() error {
	if p.failed == nil && p.mode == modeUnknown && !p.empty {
		p.classify(true)
	}
	if p.failed == nil && p.mode == modeBase64 {
		p.decode(nil, true)
	}
	return p.failed
}

// media turns the payload into the media of a message.
func (p *payload) media(kind, mimeType, fileName string) *Media {
	if mimeType == "" {
		mimeType = p.mime
	}
	m := &Media{Kind: kind, MIME: mimeType, FileName: fileName, URL: p.url}
	if p.size > 0 {
		m.Size, m.SHA256, m.Bytes = p.size, hex.EncodeToString(p.sum.Sum(nil)), p.data
	}
	switch {
	case m.MIME != "":
	case p.size > 0:
		m.MIME = sniff(p.head)
	default:
		m.MIME = guessMIME(p.url, kind)
	}
	return m
}

// guessMIME names the type of a file that nobody has looked at.
func guessMIME(address, kind string) string {
	if u, err := url.Parse(address); err == nil {
		if t := mime.TypeByExtension(path.Ext(u.Path)); t != "" {
			return t
		}
	}
	switch kind {
	case "image":
		return "image/jpeg"
	case "video":
		return "video/mp4"
	case "audio":
		return "audio/ogg; codecs=opus"
	}
	return "application/octet-stream"
}

// sniff tells the MIME type from the content, in WhatsApp's words.
func sniff(head []byte) string {
	t := http.DetectContentType(head)
	if t == "application/ogg" {
		return "audio/ogg; codecs=opus"
	}
	return t
}
