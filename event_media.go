package ryze

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/ryzeapi/ryze-go/internal/jsonscan"
)

// ErrNoInlineMedia says that the event has no media bytes, because the channel
// has MediaBase64 off.
var ErrNoInlineMedia = sentinel("the event does not carry the media's bytes")

// EventMedia is the media of a message.
type EventMedia struct {
	// Kind follows the MIME type, so an image sent as a document is an image
	// here. Only a sticker keeps its own word. Without a clear MIME type Kind
	// follows the service's word, then the ending of FileName. An unknown word
	// is kept as received.
	Kind      MediaKind
	MIMEType  string // as received, parameters included: "audio/ogg; codecs=opus"
	VoiceNote bool   // an audio recorded in the chat
	VideoNote bool   // a round video recorded in the chat
	FileName  string // chosen by the sender: not safe as a path
	FileSize  int64  // bytes, 0 when not given
	Caption   string
	// URL is WhatsApp's encrypted copy of the file. The event does not carry
	// the keys.
	URL   string
	S3URL string // the file in the instance's own S3 storage, if it has one

	wireType string
	encoded  []byte // base64 as a JSON string without its quotes, part of Raw
}

// HasBytes reports whether the event carries the media's bytes.
func (m *EventMedia) HasBytes() bool { return len(m.encoded) > 0 }

// Bytes decodes the file at each call; keep the result. It returns
// [ErrNoInlineMedia] without bytes, and [ErrBadResponse] for bad base64.
func (m *EventMedia) Bytes() ([]byte, error) {
	enc, encoding, err := m.base64()
	if err != nil {
		return nil, err
	}
	out := make([]byte, encoding.DecodedLen(len(enc)))
	n, err := encoding.Decode(out, enc)
	if err != nil {
		return nil, mediaError(err)
	}
	return out[:n], nil
}

// Reader returns the file as a stream, with the errors of [EventMedia.Bytes].
// Each call starts at the beginning. Do not close it.
func (m *EventMedia) Reader() io.Reader {
	enc, encoding, err := m.base64()
	if err != nil {
		return failedReader{err}
	}
	return mediaReader{base64.NewDecoder(encoding, bytes.NewReader(enc))}
}

// base64 returns the encoded file without a data: prefix and padding.
func (m *EventMedia) base64() ([]byte, *base64.Encoding, error) {
	if !m.HasBytes() {
		return nil, nil, fmt.Errorf("ryze: %w", ErrNoInlineMedia)
	}
	enc, encoding := plainBase64(jsonscan.Unquote(m.encoded))
	return enc, encoding, nil
}

// plainBase64 returns base64 that is whole in memory without a data: prefix,
// blanks and padding, and how to decode it.
func plainBase64(enc []byte) ([]byte, *base64.Encoding) {
	_, enc = cutDataPrefix(enc)
	if bytes.ContainsAny(enc, " \t") { // the decoder skips line breaks by itself
		enc = bytes.Join(bytes.Fields(enc), nil)
	}
	enc = bytes.TrimRight(enc, "=\r\n")
	if bytes.ContainsAny(enc, "-_") {
		return enc, base64.RawURLEncoding
	}
	return enc, base64.RawStdEncoding
}

// maxDataPrefix is how long "data:image/png;base64," may be, parameters
// included.
const maxDataPrefix = 1 << 10

// cutDataPrefix splits "data:image/png;base64,AAAA" into its MIME type, with the
// parameters, and the rest. A data URI that is not base64 is left as it is, and
// then is no base64 either.
func cutDataPrefix(enc []byte) (mime string, rest []byte) {
	const scheme = "data:"
	enc = bytes.TrimLeft(enc, " \t\r\n")
	if len(enc) < len(scheme) || !strings.EqualFold(string(enc[:len(scheme)]), scheme) {
		return "", enc
	}
	comma := bytes.IndexByte(enc[:min(len(enc), maxDataPrefix)], ',')
	if comma < 0 {
		return "", enc
	}
	parts := strings.Split(string(enc[len(scheme):comma]), ";")
	for i, part := range parts {
		parts[i] = strings.TrimSpace(part)
		if i > 0 && strings.EqualFold(parts[i], "base64") {
			return strings.Join(append(parts[:i], parts[i+1:]...), ";"), enc[comma+1:]
		}
	}
	return "", enc
}

type mediaReader struct{ r io.Reader }

func (r mediaReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = mediaError(err)
	}
	return n, err
}

type failedReader struct{ err error }

func (r failedReader) Read([]byte) (int, error) { return 0, r.err }

func mediaError(err error) error {
	return fmt.Errorf("ryze: media of an event: %w: %w", ErrBadResponse, err)
}

// Format implements [fmt.Formatter]. It never prints the file.
func (m EventMedia) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, m.summary()) }

// LogValue implements [slog.LogValuer] with kind, MIME type, and whether bytes
// are there.
func (m EventMedia) LogValue() slog.Value { return slog.StringValue(m.summary()) }

func (m EventMedia) summary() string {
	s := string(m.Kind) + " (" + m.MIMEType
	if m.HasBytes() {
		s += ", inline"
	}
	return printable(s + ")")
}

// readMedia reads a media object, and returns nil when there is nothing in it.
func readMedia(v jsonscan.Value) *EventMedia {
	var m EventMedia
	found := false
	var key foldedKey
	for c := v.Members(); c.Next(); {
		switch string(c.Val) {
		case "null", `""`, "false", "0": // how a member that is not filled may look
			continue
		}
		switch string(key.fold(c.Key)) {
		case "type":
			setString(&m.wireType, c.Val)
		case "mimetype", "mime":
			setString(&m.MIMEType, c.Val)
		case "isvoicenote", "ptt":
			m.VoiceNote = c.Val.Bool() || m.VoiceNote
		case "filename":
			setString(&m.FileName, c.Val)
		case "size", "filesize":
			if n, ok := c.Val.Int(); ok && n > 0 {
				m.FileSize = n
			}
		case "caption":
			setString(&m.Caption, c.Val)
		case "url":
			setString(&m.URL, c.Val)
		case "s3url":
			setString(&m.S3URL, c.Val)
		case "base64":
			if c.Val.IsString() {
				m.encoded = c.Val[1 : len(c.Val)-1 : len(c.Val)-1]
			}
		default:
			continue
		}
		found = true
	}
	if !found {
		return nil
	}
	return &m
}

// mergeMedia fills the gaps of inner from outer.
func mergeMedia(outer, inner *EventMedia) *EventMedia {
	if outer == nil || inner == nil {
		return cmp.Or(inner, outer)
	}
	m := *inner
	m.wireType = cmp.Or(m.wireType, outer.wireType)
	m.MIMEType = cmp.Or(m.MIMEType, outer.MIMEType)
	m.VoiceNote = m.VoiceNote || outer.VoiceNote
	m.FileName = cmp.Or(m.FileName, outer.FileName)
	m.FileSize = cmp.Or(m.FileSize, outer.FileSize)
	m.Caption = cmp.Or(m.Caption, outer.Caption)
	m.URL = cmp.Or(m.URL, outer.URL)
	m.S3URL = cmp.Or(m.S3URL, outer.S3URL)
	if !m.HasBytes() {
		m.encoded = outer.encoded
	}
	return &m
}

// complete decides what the media is, now that the type of the message is known.
func (m *EventMedia) complete(messageType string, voice bool) {
	if m.MIMEType == "" {
		m.MIMEType, _ = cutDataPrefix(m.encoded[:min(len(m.encoded), maxDataPrefix)])
		m.MIMEType = strings.ReplaceAll(m.MIMEType, `\/`, "/")
	}
	own, message := wordFor(m.wireType), wordFor(messageType)
	m.VoiceNote = m.VoiceNote || own.voice || message.voice || voice
	m.VideoNote = own.video || message.video
	var word, vague MediaKind
	for _, w := range []mediaWord{own, message} {
		if w.vague {
			vague = cmp.Or(vague, w.kind)
		} else {
			word = cmp.Or(word, w.kind)
		}
	}
	m.Kind = kindByMIME(m.MIMEType)
	if m.Kind == MediaImage && word == MediaSticker {
		m.Kind = MediaSticker
	}
	m.Kind = cmp.Or(m.Kind, word)
	if m.VoiceNote {
		m.Kind = cmp.Or(m.Kind, MediaAudio)
	}
	m.Kind = cmp.Or(m.Kind, cmp.Or(kindByName(m.FileName), vague))
	if !own.vague {
		m.Kind = cmp.Or(m.Kind, MediaKind(m.wireType))
	}
	if !message.vague {
		m.Kind = cmp.Or(m.Kind, MediaKind(messageType))
	}
	m.wireType = ""
}
