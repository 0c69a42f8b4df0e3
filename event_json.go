package ryze

import (
	"github.com/ryzeapi/ryze-go/internal/jsonscan"
)

// Events are read in place and not with encoding/json, for three reasons: the
// token must be cut out of the raw JSON, which needs the position of every
// member; a media event carries megabytes of base64 that nobody may ask for; and
// one field has several names and types. Whether a text is JSON at all is still
// for encoding/json to say.

// eventSecrets are what must not be kept of an event: the token of the instance
// gives access to all of it.
var eventSecrets = jsonscan.NewCutter("instanceData", "token", "instanceToken", "tokenInstance", "baseUrl")

// A foldedKey is a key as fields are looked up: the service writes one name as
// selectedRowID, selectedRowId and selected_row_id, so case and underscores do
// not count.
type foldedKey struct {
	buf [32]byte
	n   int
}

func (k *foldedKey) fold(key []byte) []byte {
	k.n = 0
	for _, ch := range key {
		if ch == '_' {
			continue
		}
		if k.n == len(k.buf) {
			return nil // longer than any name that is known
		}
		if ch >= 'A' && ch <= 'Z' {
			ch += 'a' - 'A'
		}
		k.buf[k.n] = ch
		k.n++
	}
	return k.buf[:k.n]
}

// setID overwrites s with an id; see idOf.
func setID(s *string, v jsonscan.Value) {
	if id := idOf(v); id != "" {
		*s = id
	}
}

// setString overwrites s with a value that is a string or a number and not empty.
func setString(s *string, v jsonscan.Value) {
	if text := v.Text(); text != "" {
		*s = text
	}
}
