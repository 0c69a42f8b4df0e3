package ryzetest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

func memoryDedupe() ryze.DedupeStore {
	return &ryze.MemoryDedupe{Lease: 300 * time.Millisecond, Window: time.Second}
}

var shortTimes = ryzetest.DedupeRules{Lease: 300 * time.Millisecond, Window: time.Second}

func TestMemoryDedupeKeepsTheRules(t *testing.T) {
	virtual := shortTimes
	virtual.Within = synctest.Test
	t.Run("in virtual time", func(t *testing.T) { ryzetest.TestDedupeStore(t, memoryDedupe, virtual) })
	t.Run("with its usual times", func(t *testing.T) {
		ryzetest.TestDedupeStore(t, func() ryze.DedupeStore { return &ryze.MemoryDedupe{} })
	})
}

func TestRulesOfADedupeStoreHoldInRealTime(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	t.Parallel()
	one := memoryDedupe()
	ryzetest.TestDedupeStore(t, func() ryze.DedupeStore { return one }, shortTimes)
}
