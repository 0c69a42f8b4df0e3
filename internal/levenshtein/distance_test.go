package levenshtein

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestDistanceCountsLetters(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"text", "text", 0}, {"text", "test", 1}, {"mesage", "message", 1}, {"kitten", "sitting", 3}} {
		assert.Equal(t, c.want, Distance(c.a, c.b), "%s, %s", c.a, c.b)
		assert.Equal(t, c.want, Distance(c.b, c.a), "%s, %s", c.b, c.a)
	}
}
