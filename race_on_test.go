//go:build race

package ryze_test

// raceEnabled: the race detector allocates too.
const raceEnabled = true
