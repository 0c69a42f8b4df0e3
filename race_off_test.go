//go:build !race

package ryze_test

const raceEnabled = false
