package ryzeredis_test

import (
	"os"
	"testing"
)

// TestMain is also the main function of the worker processes that tests start.
func TestMain(m *testing.M) {
	if os.Getenv(workerEnv) != "" {
		streamsWorker()
		return
	}
	if limiterWorker() {
		return
	}
	os.Exit(m.Run())
}
