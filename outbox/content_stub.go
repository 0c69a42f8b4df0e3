package outbox

import (
	"encoding/json"

	ryze "github.com/ryzeapi/ryze-go"
)

// Texts alone, until the root has a stored form for every content.
func marshalContent(c ryze.Content) ([]byte, error) {
	t, ok := c.(ryze.Text)
	if !ok {
		return nil, invalid("Message.Content", "has no stored form")
	}
	return json.Marshal(string(t))
}

func unmarshalContent(b []byte) (ryze.Content, error) {
	var t string
	err := json.Unmarshal(b, &t)
	return ryze.Text(t), err
}
