-- One step of the limiter: takes in what a process has learned, then gives it
-- requests of the window. All times are milliseconds of Redis' own clock.
local key, id = KEYS[1], ARGV[1]
local function arg(i) return tonumber(ARGV[i]) end
local gen0, held, old, lease = arg(2), arg(3), arg(4), arg(5)
local want, extra, prio, age, count, reserve = arg(6), arg(7), arg(8), arg(9), arg(10), arg(11)
local kind, ogen, rem, lim, rin, oage = ARGV[12], arg(13), arg(14), arg(15), arg(16), arg(17)
local charged, cage, canceled, channel = arg(18), arg(19), arg(20), ARGV[22]

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local h = {gen = now, limit = arg(21), said = 0, left = 0, reset = 0, known = 0, heard = 0, unl = 0, probing = 0,
	allowed = 0, passed = 0, probe = 0, floor = 0, guessed = 0, refusals = 0, doubt = 0, doubtat = 0, saidat = 0,
	asked = 0, stale = 0, odd = 0, len = 60000, ontime = 0, opened = 0}
local procs = {}
local raw = redis.call('HGETALL', key)
if #raw == 0 and want == 0 and (kind == '' or gen0 == 0) then
	return {0, gen0, 0, 0, 1000, 0, arg(21), 0, 0, 0, 60000} -- nothing is known, and nothing to be kept
end
for i = 1, #raw, 2 do
	local p = string.match(raw[i], '^p:(.*)')
	if p then
		local e = {}
		for n in string.gmatch(raw[i + 1], '%S+') do e[#e + 1] = tonumber(n) end
		procs[p] = {gen = e[1], out = e[2], old = e[3], exp = e[4], prio = e[5], since = e[6], count = e[7], kept = e[8]}
	else
		h[raw[i]] = tonumber(raw[i + 1])
	end
end
local gone = {}
-- What a process held that does not come back may have been used or not.
for p, e in pairs(procs) do
	if e.exp < now and p ~= id then
		if e.gen == h.gen and e.out > 0 then h.doubt, h.doubtat = h.doubt + e.out, now end
		gone[#gone + 1] = 'p:' .. p
		procs[p] = nil
	end
end
local me = {gen = h.gen, out = 0, old = 0, exp = now + lease, prio = prio, since = now - age, count = count, kept = 0}
if gen0 == h.gen then me.out, me.old = held, old elseif gen0 == h.gen - 1 then me.old = held end
procs[id] = me

local wakeall = false
local ended = now >= h.reset
local current = ogen == h.gen and gen0 == h.gen
if kind ~= '' and lim > 0 and (current or kind == 'r') then
	if h.heard == 0 then h.left = h.left + lim - h.limit end
	h.limit, h.said = lim, 1
end
if charged > 0 and gen0 == h.gen then
	if h.heard == 1 and h.saidat <= now - cage then
		h.left = h.left - charged
	else
		h.doubt, h.doubtat = h.doubt + charged, now
	end
	if h.probing == 1 then h.allowed = math.max(2 * h.allowed, h.passed + 1) end
end
if canceled > 0 and gen0 == h.gen and h.probing == 1 then
	h.passed = math.max(h.passed - canceled, 0)
	if h.passed == 0 then h.reset = now end
end
local at = now + rin + 1 -- now is cut to the millisecond
if kind == 'd' and current and h.guessed == 0 then
	h.refusals = 0
	local usable = true
	if rin > 0 then
		h.odd = 0
		if h.known == 0 then
			if h.ontime == 1 then h.len = math.max(at - h.opened, 1000) end
			h.reset, h.known = at, 1
		elseif at - h.reset > math.max(1000, math.min(5000, h.len / 2)) then
			-- A window after the one that is known.
			h.gen, h.stale = h.gen + 1, now + 5000
			h.reset, h.heard, h.probing, h.left, h.doubt, h.floor, h.guessed = at, 0, 0, h.limit, 0, 0, 0
			me.gen, me.old, me.out = h.gen, me.out, 0
		else
			h.reset = math.max(math.min(h.reset, at), h.floor)
		end
	elseif rin > -5000 and h.heard == 0 and h.odd < 3 then
		-- The service is still in the window before.
		h.odd, usable = h.odd + 1, false
		h.reset, h.left, h.known, h.probing = now + 500, 0, 0, 0
	end
	if usable and rem == -1 then
		h.unl, h.heard, h.probing = 1, 1, 0
	elseif usable and rem >= 0 then
		if h.heard == 0 or h.unl == 1 then
			h.left, h.heard, h.unl, h.probing = rem, 1, 0, 0
		else
			h.left = math.min(h.left, rem)
		end
		if now - oage >= h.doubtat then h.doubt = 0 end
		h.saidat = now
	end
elseif kind == 'd' and rem >= 0 and h.known == 1 and rin > 0 and math.abs(at - h.reset) <= 1000 then
	h.left = math.min(h.left, rem) -- sent before the window began here
elseif kind == 'r' and (ogen == h.gen or rin > 0 and (h.heard == 0 or at >= h.reset - 1000)) then
	local till
	if rin > 0 then
		till, h.guessed = at, 0
	elseif not ended and (h.known == 1 or h.guessed == 1) then
		till = h.reset
	else
		till, h.guessed = now + 1000 * 2 ^ math.min(h.refusals, 4), 1
		h.refusals, h.known = h.refusals + 1, 0
	end
	till = math.max(till, now + 1000)
	h.floor = math.max(h.floor, till)
	h.reset = h.floor
	if rin > 0 then h.known = 1 end
	h.left, h.heard, h.unl, h.probing = 0, 1, 0, 0
	wakeall = true
end

if now >= h.reset and want > 0 then
	h.ontime = (h.known == 1 and now - h.reset < 2000) and 1 or 0
	h.gen, h.stale = h.gen + 1, now + 5000
	h.left, h.reset, h.opened, h.heard, h.known = h.limit, now + h.len, now, 0, 0
	h.floor, h.guessed, h.doubt, h.asked = 0, 0, 0, 0
	h.probing, h.allowed, h.passed, h.probe = 1 - h.unl, 1, 0, now + 1000
	me.gen, me.old, me.out = h.gen, me.out, 0
end

me.kept = math.max(math.min(reserve, math.floor(h.limit / 2)), 0)
local room = h.left - h.doubt
for _, e in pairs(procs) do
	if e.gen == h.gen then
		room = room - e.out
		if now < h.stale then room = room - e.old end
	elseif e.gen == h.gen - 1 and now < h.stale then
		room = room - e.out
	end
end
local function before(p, e, q, f)
	if e.prio ~= f.prio then return e.prio > f.prio end
	if e.since ~= f.since then return e.since < f.since end
	return p < q
end
local ahead, waiting, needy = 0, 0, 0
for p, e in pairs(procs) do
	if p ~= id and e.count > 0 and room + me.out > e.kept then needy = needy + 1 end
	if p ~= id and e.count > 0 and room > e.kept then
		waiting = waiting + 1
		if before(p, e, id, me) then ahead = ahead + (e.prio > prio and e.count or 1) end
	end
end
local n, wait = 0, h.reset - now
if want > 0 then
	if h.unl == 1 then
		n = want + extra
	else
		if h.probing == 1 and h.passed >= h.allowed and now >= h.probe then
			h.allowed, h.probe = 2 * h.allowed, now + 1000
		end
		local free = room - me.kept
		if h.probing == 1 then free = math.min(free, h.allowed - h.passed) end
		n = math.max(math.min(want, free - ahead), 0)
		if waiting > 0 then n = math.min(n, math.max(1, math.floor(free / (waiting + 1)))) end
		if n == 0 and free > 0 then wait = math.min(wait, 50) end
		if n == 0 and h.probing == 1 then wait = math.min(wait, math.max(h.probe - now, 1)) end
		if n == 0 and h.heard == 1 and room <= 0 and h.doubt > 0 and room + h.doubt > 0 then
			if now >= h.asked + 1000 then n, h.asked = 1, now end
			wait = math.min(wait, 1000)
		end
		if n == want and waiting == 0 and h.probing == 0 then
			local active = 0
			for _ in pairs(procs) do active = active + 1 end
			n = n + math.max(math.min(extra, math.floor((free - n) / (4 * active))), 0)
		end
		if h.probing == 1 then h.passed = h.passed + n end
	end
	me.out, room = me.out + n, room - n
	me.count = math.max(count - n, 0)
end
local best, first
for p, e in pairs(procs) do
	if p ~= id and e.count > 0 then
		if wakeall then redis.pcall('PUBLISH', channel .. p, key) end
		if room > e.kept and (not best or before(p, e, best, first)) then best, first = p, e end
	end
end
if best and (h.unl == 1 or h.probing == 0 or h.passed < h.allowed) then redis.pcall('PUBLISH', channel .. best, key) end

local set = {}
for k, v in pairs(h) do
	set[#set + 1] = k
	set[#set + 1] = string.format('%.0f', v)
end
if me.out > 0 or me.old > 0 or me.count > 0 then
	set[#set + 1] = 'p:' .. id
	set[#set + 1] = string.format('%.0f %.0f %.0f %.0f %.0f %.0f %.0f %.0f', me.gen, me.out, me.old, me.exp, me.prio, me.since, me.count, me.kept)
else
	gone[#gone + 1] = 'p:' .. id
end
-- First, because a Redis that is full refuses only what a script begins with.
redis.call('HSET', key, unpack(set))
for _, field in ipairs(gone) do redis.call('HDEL', key, field) end
redis.call('PEXPIRE', key, math.max(h.reset - now, 0) + 600000)
return {n, h.gen, room, h.reset - now, math.max(wait, 1), h.heard, h.limit, h.said, h.unl, needy, h.len}
