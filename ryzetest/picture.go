package ryzetest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

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
