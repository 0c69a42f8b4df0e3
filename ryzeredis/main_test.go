package ryzeredis_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain is also the main function of the worker processes that tests start.
func TestMain(m *testing.M) {
	if os.Getenv(workerEnv) != "" {
		streamsWorker()
		return
	}
	if os.Getenv(locksWorkerEnv) != "" {
		locksWorker()
		return
	}
	if limiterWorker() {
		return
	}
	flag.Parse()
	if !isSet("test.parallel") { // they wait for leases and windows, not for a processor
		_ = flag.Set("test.parallel", "4")
	}
	os.Exit(m.Run())
}

func isSet(name string) (is bool) {
	flag.Visit(func(f *flag.Flag) { is = is || f.Name == name })
	return is
}
