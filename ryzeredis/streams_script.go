package ryzeredis

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// streamsScript does everything that workers ask of Redis, in one step and by
// the clock of the server. All keys of a group are in one slot.
//
// KEYS: about the server, the workers, what others want of this worker, and the
// records of instances. ARGV: how long a lease is and a record is kept, in
// milliseconds; the worker; whether it takes part; the channel; how many leases
// it can take now; then for each record a request, a token and a moment:
//
//	renew  prolong the lease of this token, and write the moment down
//	free   give it up
//	note   write the moment down, for a record that was lost
//	take   acquire it, or tell its holder that it is wanted
var streamsScript = redis.NewScript(graceLua + `
local t = redis.call('TIME')
local us = t[1] * 1000000 + t[2]
local now = math.floor(us / 1000)
local ttl, keep = tonumber(ARGV[1]), tonumber(ARGV[2])
local me, channel = ARGV[3], ARGV[5]
local room = tonumber(ARGV[6])
local grace = graceOf(KEYS[1], now, ttl, keep)

local changed = redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', int(now))
if ARGV[4] == '1' then
  changed = changed + redis.call('ZADD', KEYS[2], int(now + ttl), me)
  redis.call('PEXPIRE', KEYS[2], keep)
else
  changed = changed + redis.call('ZREM', KEYS[2], me)
end
local wanted = redis.call('SMEMBERS', KEYS[3])
if #wanted > 0 then redis.call('DEL', KEYS[3]) end
local wants = string.sub(KEYS[3], 1, #KEYS[3] - #me)

local results = {}
local freed = false
local function advance(key, old, moment)
  if moment > (tonumber(old) or 0) then redis.call('HSET', key, 'whole', int(moment)) end
  redis.call('PEXPIRE', key, keep)
end
for i = 4, #KEYS do
  local at = 6 + (i - 4) * 3
  local what, token, moment = ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3])
  local r = redis.call('HMGET', KEYS[i], 'token', 'until', 'whole', 'owner')
  local till = tonumber(r[2]) or 0
  local result = {0, '0', '0'}
  if what == 'renew' then
    if r[1] == token or (grace > 0 and (tonumber(r[1]) or 0) < tonumber(token)) then
      redis.call('HSET', KEYS[i], 'token', token, 'owner', me, 'until', int(now + ttl))
      if r[1] ~= token then redis.call('HSET', KEYS[i], 'since', int(now)) end
      advance(KEYS[i], r[3], moment)
      result = {1, token, '0'}
    end
  elseif what == 'free' then
    if r[1] == token or not r[1] then
      if r[1] then redis.call('HSET', KEYS[i], 'until', '0') end
      freed = true
    end
    advance(KEYS[i], r[3], moment)
    result = {1, token, '0'}
  elseif what == 'note' then
    advance(KEYS[i], r[3], moment)
    result = {1, '0', '0'}
  elseif what == 'take' and room > 0 then
    if till > now and r[4] ~= me then
      room = room - 1
      if redis.call('SADD', wants .. r[4], KEYS[i]) == 1 then
        redis.call('PEXPIRE', wants .. r[4], ttl)
        redis.call('PUBLISH', channel, r[4])
      end
    elseif grace <= 0 then
      room = room - 1
      local fresh = math.max(us, (tonumber(redis.call('HGET', KEYS[1], 'token')) or 0) + 1, (tonumber(r[1]) or 0) + 1)
      redis.call('HSET', KEYS[1], 'token', int(fresh))
      redis.call('HSET', KEYS[i], 'token', int(fresh), 'owner', me, 'until', int(now + ttl), 'since', int(now))
      redis.call('PEXPIRE', KEYS[i], keep)
      result = {1, int(fresh), r[3] or '0'}
    end
  end
  results[#results + 1] = result
end
if changed > 0 or freed then redis.call('PUBLISH', channel, '*') end
return {redis.call('ZRANGE', KEYS[2], 0, -1), wanted, math.max(grace, 0), results}
`)

// What is asked about an instance.
const (
	askRenew = "renew"
	askFree  = "free"
	askNote  = "note"
	askTake  = "take"
)

// ask is a request about one instance.
type ask struct {
	what     string
	instance string
	token    int64
	whole    time.Time // until when everything was handled, zero if nobody knows
	hold     *hold     // that it is about, if it is about one
}

// answer is what the server says about one instance.
type answer struct {
	yes   bool
	token int64
	whole time.Time
}

// answers are what the server says to a worker.
type answers struct {
	workers []string
	wanted  map[string]bool // keys of records that others want
	grace   time.Duration   // for so long it grants nothing
	about   []answer
}

var errBadAnswer = errors.New("ryzeredis: the server's answer has another form")

// exchange sends requests in one round trip.
func (s *Streams) exchange(ctx context.Context, alive bool, room int, asks []ask) (*answers, error) {
	keys := []string{s.key("server"), s.key("workers"), s.key("wants", s.worker)}
	args := []any{s.lease.Milliseconds(), recordKept.Milliseconds(), s.worker, "0", s.key("wake"), room}
	if alive {
		args[3] = "1"
	}
	for _, a := range asks {
		keys = append(keys, s.record(a.instance))
		var moment int64
		if !a.whole.IsZero() {
			moment = a.whole.UnixMicro()
		}
		args = append(args, a.what, strconv.FormatInt(a.token, 10), moment)
	}
	reply, err := streamsScript.Run(ctx, s.client, keys, args...).Slice()
	lookAgain(s.client, err)
	if err != nil {
		return nil, fmt.Errorf("ryzeredis: streams: %w", err)
	}
	return readAnswers(reply, len(asks))
}

func readAnswers(reply []any, n int) (*answers, error) {
	if len(reply) != 4 {
		return nil, errBadAnswer
	}
	workers, ok1 := reply[0].([]any)
	wanted, ok2 := reply[1].([]any)
	grace, ok3 := reply[2].(int64)
	about, ok4 := reply[3].([]any)
	if !ok1 || !ok2 || !ok3 || !ok4 || len(about) != n {
		return nil, errBadAnswer
	}
	got := &answers{wanted: make(map[string]bool), grace: time.Duration(grace) * time.Millisecond}
	for _, w := range workers {
		name, _ := w.(string)
		got.workers = append(got.workers, name)
	}
	for _, w := range wanted {
		name, _ := w.(string)
		got.wanted[name] = true
	}
	for _, one := range about {
		fields, _ := one.([]any)
		if len(fields) != 3 {
			return nil, errBadAnswer
		}
		yes, _ := fields[0].(int64)
		got.about = append(got.about, answer{yes == 1, number(fields[1]), moment(fields[2])})
	}
	return got, nil
}

func number(v any) int64 {
	text, _ := v.(string)
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

func moment(v any) time.Time {
	if us := number(v); us > 0 {
		return time.UnixMicro(us).UTC()
	}
	return time.Time{}
}

// digest stands for a name that must not be read in Redis.
func digest(name string) string {
	sum := sha256.Sum256([]byte(name))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
