package ryzeredis

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// commandsSince has the commands that scripts call, and the Redis that had them
// first in the form in which they are called, by its documentation. What is newer
// than 6.2 must not be added: 6.2 is promised.
var commandsSince = map[string]string{
	"DEL":              "1.0",
	"EXISTS":           "1.0",
	"GET":              "1.0",
	"HDEL":             "2.0",
	"HGET":             "2.0",
	"HKEYS":            "2.0",
	"HMGET":            "2.0",
	"HSET":             "4.0", // several fields at once
	"INFO":             "1.0",
	"PEXPIRE":          "2.6", // NX, XX, GT and LT are of 7.0
	"PUBLISH":          "2.0",
	"SADD":             "2.4", // several members at once
	"SET":              "2.6", // with PX and NX
	"SMEMBERS":         "1.0",
	"TIME":             "2.6", // in scripts that write: 5.0
	"ZADD":             "1.2", // one member, no options
	"ZRANGE":           "1.2", // by rank; with REV, BYSCORE and LIMIT it is of 6.2
	"ZRANK":            "2.0", // WITHSCORE is of 7.2
	"ZREM":             "1.2",
	"ZREMRANGEBYSCORE": "1.2",
	"ZREVRANGE":        "1.2",
	"ZSCORE":           "1.2",
}

// scriptsOf returns the text of all scripts of the package.
func scriptsOf(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, pattern := range []string{"*.go", "*.lua"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, name := range files {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			switch {
			case strings.HasSuffix(name, "_test.go"):
			case strings.HasSuffix(name, ".lua"):
				all.Write(text)
			default:
				for i, part := range strings.Split(string(text), "`") {
					if i%2 == 1 { // between backquotes
						all.WriteString(part)
					}
				}
			}
		}
	}
	return all.String()
}

func TestScriptsNeedNothingNewerThanRedis62(t *testing.T) {
	scripts := scriptsOf(t)
	calls := regexp.MustCompile(`redis\.p?call\('(\w+)'([^\n]*)`).FindAllStringSubmatch(scripts, -1)
	require.Greater(t, len(calls), 20)
	assert.Len(t, calls, len(regexp.MustCompile(`redis\.p?call`).FindAllString(scripts, -1)), "commands are written out")
	for _, call := range calls {
		assert.Contains(t, commandsSince, call[1], "look up which Redis had it first")
		assert.NotRegexp(t, `PEXPIRE'.*'(NX|XX|GT|LT)'`, call[0], "is of Redis 7.0")
	}
	for _, function := range regexp.MustCompile(`\bredis\.(\w+)`).FindAllStringSubmatch(scripts, -1) {
		assert.Contains(t, []string{"call", "pcall", "error_reply", "status_reply"}, function[1], "functions of Redis 2.6")
	}
	assert.NotRegexp(t, `#!lua|SSUBSCRIBE|SPUBLISH|FCALL`, scripts, "are of Redis 7.0")
}
