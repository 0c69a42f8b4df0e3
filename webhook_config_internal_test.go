package ryze

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAllSixEventsAreTheSameAsNone(t *testing.T) {
	six := slices.Clone(allEvents)
	slices.Reverse(six)
	assert.True(t, sameEvents(nil, six))
	assert.True(t, sameEvents(six, []EventType{}))
	assert.False(t, sameEvents(nil, six[1:]))
	assert.False(t, sameEvents(six, append(six, "poll.vote")))
	assert.Equal(t, EventLabel, six[0], "the caller's list is not sorted")
}
