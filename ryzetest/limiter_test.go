package ryzetest_test

import (
	"testing"
	"testing/synctest"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

func memoryLimiter() ryze.Limiter { return ryze.NewMemoryLimiter(0) }

func TestMemoryLimiterKeepsTheRules(t *testing.T) {
	ryzetest.TestLimiter(t, memoryLimiter, ryzetest.LimiterRules{Within: synctest.Test})
}

func TestRulesOfALimiterHoldInRealTime(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	t.Parallel()
	one := memoryLimiter()
	ryzetest.TestLimiter(t, func() ryze.Limiter { return one }, ryzetest.LimiterRules{Shared: true})
}
