package ryzeredis

// graceLua begins scripts that grant leases. All use the server's clock.
//
// A server that has started, or was promoted, may have forgotten leases that
// were the last to be granted. It is known by its run_id, and grants none for
// the length of a lease: what it has forgotten is over then, or was written down
// again by the holder. So does one that has no record of itself.
//
// graceOf returns for how many milliseconds more nothing may be granted, and a
// name for the time since then. It remembers the server in the hash at key.
const graceLua = `
local function int(n) return string.format('%.0f', n) end
local function graceOf(key, now, ttl, keep)
  local info = redis.pcall('INFO', 'server')
  local run = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or '?'
  local known = redis.call('HMGET', key, 'run', 'since')
  local since = tonumber(known[2])
  if known[1] ~= run or not since or since > now then
    since = now
    redis.call('HSET', key, 'run', run, 'since', int(now))
  end
  redis.call('PEXPIRE', key, keep)
  return since + ttl - now, run .. ':' .. int(since)
end
`
