package ryzetest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Media is the file of a message.
type Media struct {
	Kind     string // image, video, audio, document, sticker
	MIME     string
	FileName string
	// URL is the mediaUrl of the request, when the file was given by address.
	URL string
	// Size and SHA256 (hex) are zero when the simulator does not reach the
	// file's address.
	Size     int64
	SHA256   string
	Bytes    []byte // nil when the file is larger than WithMediaKeep allows
	Voice    bool   // voice note
	Duration int    // seconds; 0 when not known
	Caption  string
}

// remoteURL is where WhatsApp keeps the (encrypted) file.
func (m *Media) remoteURL() string {
	key := m.SHA256
	if key == "" {
		sum := sha256.Sum256([]byte(m.URL))
		key = hex.EncodeToString(sum[:])
	}
	return "https://mmg.whatsapp.net/v/" + key[:16] + ".enc"
}

// describe adds what a send says about its file. An audio is a voice note unless
// the body denies it.
func (m *Media) describe(b values) {
	m.Caption = b.str("message")
	m.Duration = b.int("duration")
	m.Voice = m.Kind == "audio" && (!b.has("isVoice") || b.bool("isVoice"))
}

// file takes the one media of a body: a URL field, which may carry base64 too,
// and a base64 field, never both.
func (c *call) file(kind, urlField, base64Field string) (*Media, error) {
	var p *payload
	for _, name := range []string{urlField, base64Field} {
		q := c.media[name]
		if q == nil {
			continue
		}
		if err := q.close(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if q.empty {
			continue
		}
		if p != nil {
			return nil, fmt.Errorf("%s and %s cannot be used together", urlField, base64Field)
		}
		if name == base64Field && q.mode == modeURL {
			return nil, fmt.Errorf("%s: %w", name, errBase64)
		}
		p = q
	}
	if p == nil {
		return nil, fmt.Errorf("%s or %s is required", urlField, base64Field)
	}
	if p.mode == modeURL {
		fetched, err := c.fetch(p.url)
		if err != nil {
			return nil, err
		}
		p = fetched
	}
	return p.media(kind, c.body.str("mimeType"), c.body.str("fileName")), nil
}

var errDownload = errors.New("mediaUrl could not be downloaded")

// fetch downloads a media from this machine. Addresses elsewhere are only
// recorded: their content stays unknown.
func (c *call) fetch(address string) (*payload, error) {
	p := newPayload(c.s.cfg.mediaKeep)
	p.url, p.empty = address, false
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, errors.New("mediaUrl is not a URL")
	}
	if !isLoopback(u.Hostname()) || c.s.cfg.inMemory {
		return p, nil
	}
	req, err := http.NewRequestWithContext(c.s.ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errors.New("mediaUrl is not a URL")
	}
	client := http.Client{Timeout: time.Minute, Transport: c.s.fetcher}
	res, err := client.Do(req)
	if err != nil {
		return nil, errDownload
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, errDownload
	}
	buf := make([]byte, 64<<10)
	body := &boundedReader{res.Body, c.s.cfg.mediaLimit}
	for {
		n, err := body.Read(buf)
		p.take(buf[:n])
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errDownload
		}
	}
	if t := res.Header.Get("Content-Type"); t != "" {
		p.mime = t
	}
	return p, nil
}

// picture takes the streamed picture of a body: an address, base64, or a data:
// URL. given is false when the field is missing or empty. The address is where
// WhatsApp would show it.
func (c *call) picture(field string) (address string, given bool, err error) {
	p := c.media[field]
	if p == nil {
		return "", false, nil
	}
	if err := p.close(); err != nil {
		return "", true, fmt.Errorf("%s: %w", field, err)
	}
	if p.empty {
		return "", false, nil
	}
	if p.mode == modeURL {
		if p, err = c.fetch(p.url); err != nil {
			return "", true, errPicture
		}
	}
	if len(p.head) > 0 && !strings.HasPrefix(sniff(p.head), "image/") {
		return "", true, errPicture
	}
	key := p.sum.Sum([]byte(p.url))
	sum := sha256.Sum256(key)
	return "https://pps.whatsapp.net/v/t61/" + hex.EncodeToString(sum[:8]) + ".jpg", true, nil
}

var errPicture = errors.New("picture could not be downloaded or decoded")

// mediaKind names the kind of a file by its MIME type.
func mediaKind(mime string) string {
	kind, _, _ := strings.Cut(mime, "/")
	switch kind {
	case "image", "video", "audio":
		return kind
	}
	return "document"
}
