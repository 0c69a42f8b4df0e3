package ryzetest_test

import (
	"testing"
	"testing/synctest"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

func TestMemoryChatLocksKeepTheRules(t *testing.T) {
	ryzetest.TestChatLocks(t, func() ryze.ChatLocks { return &ryze.MemoryChatLocks{} },
		ryzetest.ChatLockRules{Lease: shortTimes.Lease, Within: synctest.Test})
}

func TestRulesOfChatLocksHoldInRealTime(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	t.Parallel()
	one := &ryze.MemoryChatLocks{}
	ryzetest.TestChatLocks(t, func() ryze.ChatLocks { return one }, ryzetest.ChatLockRules{Lease: shortTimes.Lease})
}
