package ryzeredis

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// What is in Redis, all in one slot:
//
//   - a session for each process at work, a hash that expires after a lease unless
//     it is renewed. It lists the tickets of the process, and the lines they are in;
//   - a line for each key of a chat, a sorted set of tickets. The score is when a
//     ticket came, in microseconds, or 0 when it has the lock: so it stays first.
//
// A ticket has one score in all of its lines, so nobody can wait for one another.
// A ticket whose session has expired counts no more, and whoever sees it takes it
// out. A ticket's name is "process.number of the session:number of the ticket".

// linesLua is what scripts about lines begin with.
const linesLua = `
local base = ARGV[1]
local function first(line)
  while true do
    local head = redis.call('ZRANGE', line, 0, 0, 'WITHSCORES')
    if #head == 0 then return nil end
    if redis.call('EXISTS', base .. ':s:' .. string.match(head[1], '^[^:]+')) == 1 then
      return head[1], tonumber(head[2])
    end
    redis.call('ZREM', line, head[1])
  end
end
`

// lockRenewScript renews a session and returns how long nothing is granted, the
// name of the time since the server has started, and the tickets of the session;
// or 0 alone when the session has expired. A server that has started may have
// forgotten it, and has it again while it grants nothing.
//
// KEYS: about the server, the session. ARGV: how long a lease is, and is remembered
// of the server, in milliseconds; whether the session is new.
var lockRenewScript = redis.NewScript(graceLua + `
local t = redis.call('TIME')
local ttl = tonumber(ARGV[1])
local grace, epoch = graceOf(KEYS[1], math.floor(t[1] * 1000 + t[2] / 1000), ttl, tonumber(ARGV[2]))
if redis.call('EXISTS', KEYS[2]) == 0 then
  if ARGV[3] ~= '1' and grace <= 0 then return {0} end
  redis.call('HSET', KEYS[2], 'open', '1')
end
redis.call('PEXPIRE', KEYS[2], ttl)
return {1, math.max(grace, 0), epoch, redis.call('HKEYS', KEYS[2])}
`)

// lockEnterScript gives a ticket its place at the end of its lines, or at the place
// that it had, and the lock when it is the first in all of them. It may be repeated.
// It returns what has become of the ticket, its score, and for how long nothing is
// granted. One that had the lock has it again only while nothing is granted.
//
// KEYS: about the server, the session, the lines. ARGV: the beginning of the keys;
// how long a lease is, is remembered of the server, and a line is kept; the ticket;
// its score, 0 for a new one; whether it has the lock.
var lockEnterScript = redis.NewScript(graceLua + linesLua + `
local ttl, keep, ticket = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[5]
local score, held = tonumber(ARGV[6]), ARGV[7] == '1'
if redis.call('EXISTS', KEYS[2]) == 0 then return {'gone', '0', 0} end
local t = redis.call('TIME')
local us = t[1] * 1000000 + t[2]
local locked = true
for i = 3, #KEYS do
  local has = tonumber(redis.call('ZSCORE', KEYS[i], ticket) or -1)
  if has ~= 0 then locked = false end
  if has > 0 then score = has end
end
local grace = 0
local function granting()
  grace = graceOf(KEYS[1], math.floor(us / 1000), ttl, keep)
  return grace <= 0
end
if held and not locked then
  if granting() then return {'gone', '0', 0} end
  locked = true
end
if not locked then
  if score == 0 then
    score = us
    for i = 3, #KEYS do
      local last = redis.call('ZREVRANGE', KEYS[i], 0, 0, 'WITHSCORES')
      if #last > 0 then score = math.max(score, tonumber(last[2]) + 1) end
    end
  end
  locked = true
  for i = 3, #KEYS do
    redis.call('ZADD', KEYS[i], int(score), ticket)
    if first(KEYS[i]) ~= ticket then locked = false end
  end
  locked = locked and granting()
end
for i = 3, #KEYS do
  if locked then redis.call('ZADD', KEYS[i], '0', ticket) end
  redis.call('PEXPIRE', KEYS[i], ARGV[4])
end
redis.call('HSET', KEYS[2], ticket, table.concat(KEYS, '\n', 3))
return {locked and 'locked' or 'waits', int(score), math.max(grace, 0)}
`)

// lockLeaveScript takes a ticket out of its lines, and wakes those who are first
// then. It returns whether the session has not expired. It may be repeated. Without
// lines in KEYS it takes those that are listed.
//
// KEYS: the session, the lines. ARGV: the beginning of the keys; the ticket.
var lockLeaveScript = redis.NewScript(linesLua + `
local ticket = ARGV[2]
local alive = redis.call('EXISTS', KEYS[1])
local lines = {}
for i = 2, #KEYS do lines[#lines + 1] = KEYS[i] end
if #lines == 0 then
  for line in string.gmatch(redis.call('HGET', KEYS[1], ticket) or '', '[^\n]+') do lines[#lines + 1] = line end
end
redis.call('HDEL', KEYS[1], ticket)
for _, line in ipairs(lines) do
  local was = redis.call('ZRANK', line, ticket)
  redis.call('ZREM', line, ticket)
  if was == 0 then
    local head, score = first(line)
    if head and score > 0 then redis.pcall('PUBLISH', base .. ':w:' .. string.match(head, '^[^.]+'), head) end
  end
end
return alive
`)

// What becomes of a ticket.
const (
	ticketGone   = "gone" // its session has expired, or the lock that it had is lost
	ticketWaits  = "waits"
	ticketLocked = "locked"
)

// placed is the answer about a ticket.
type placed struct {
	state string
	score int64
	grace time.Duration
}

// askEnter asks for the place and the lock of a ticket.
func (c *ChatLocks) askEnter(ctx context.Context, s *lockSession, t *lockTicket, score int64, held bool) (placed, error) {
	have := "0"
	if held {
		have = "1"
	}
	keys := append([]string{c.key("server"), c.key("s", s.name)}, t.lines...)
	reply, err := lockEnterScript.Run(ctx, c.client, keys, c.base, c.lease.Milliseconds(), recordKept.Milliseconds(),
		c.lineKept.Milliseconds(), s.ticket(t), score, have).Slice()
	lookAgain(c.client, err)
	if err != nil {
		return placed{}, err
	}
	if len(reply) != 3 {
		return placed{}, errBadAnswer
	}
	state, ok1 := reply[0].(string)
	score = number(reply[1])
	grace, ok2 := reply[2].(int64)
	if !ok1 || !ok2 {
		return placed{}, errBadAnswer
	}
	return placed{state, score, time.Duration(grace) * time.Millisecond}, nil
}

// askLeave gives up what a ticket has, of which the lines may be unknown.
func (c *ChatLocks) askLeave(ctx context.Context, session, ticket string, lines []string) (alive bool, err error) {
	n, err := lockLeaveScript.Run(ctx, c.client, append([]string{c.key("s", session)}, lines...), c.base, ticket).Int()
	lookAgain(c.client, err)
	return n == 1, err
}

// renewed is the answer about a session.
type renewed struct {
	alive   bool
	epoch   string
	tickets []string
}

// askRenew renews a session.
func (c *ChatLocks) askRenew(ctx context.Context, session string, isNew bool) (renewed, error) {
	begin := "0"
	if isNew {
		begin = "1"
	}
	reply, err := lockRenewScript.Run(ctx, c.client, []string{c.key("server"), c.key("s", session)},
		c.lease.Milliseconds(), recordKept.Milliseconds(), begin).Slice()
	lookAgain(c.client, err)
	switch {
	case err != nil:
		return renewed{}, err
	case len(reply) == 1:
		return renewed{}, nil
	case len(reply) != 4:
		return renewed{}, errBadAnswer
	}
	got := renewed{alive: true}
	got.epoch, _ = reply[2].(string)
	fields, ok := reply[3].([]any)
	if got.epoch == "" || !ok {
		return renewed{}, errBadAnswer
	}
	for _, f := range fields {
		if name, _ := f.(string); name != "open" {
			got.tickets = append(got.tickets, name)
		}
	}
	return got, nil
}

// passing are the errors of a server that starts, is being reconfigured or is full.
var passing = []string{
	"LOADING", "READONLY", "CLUSTERDOWN", "TRYAGAIN", "MASTERDOWN", "MOVED", "ASK", "BUSY", "OOM", "NOREPLICAS", "MISCONF", "max number of clients",
}

// willPass says whether an error passes by itself. What else a server answers, such
// as that a password is wrong, it will answer again.
func willPass(err error) bool {
	if errors.Is(err, redis.ErrClosed) || errors.Is(err, errBadAnswer) {
		return false
	}
	var answered redis.Error
	if !errors.As(err, &answered) {
		return true // Redis is away
	}
	return slices.ContainsFunc(passing, func(name string) bool {
		// Redis 6.2 has the error of a script's command in the middle of its own.
		return redis.HasErrorPrefix(err, name) || strings.Contains(answered.Error(), ": -"+name+" ")
	})
}
