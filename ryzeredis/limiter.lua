-- One step of the limiter: takes in what a process has learned, then gives it
-- requests of the window. KEYS[1] is the window w, a JSON object; ARGV[1] is the
-- question q; the result is the answer. All times are milliseconds of the
-- server's own clock. Nothing here is newer than Redis 6.2.
local q = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local raw = redis.call('GET', KEYS[1])
local news = q.news
if not raw and q.want == 0 and not news then -- nothing is known, and nothing to be kept
	return cjson.encode({granted = 0, gen = q.gen, room = 0, likely = 0, reset = 0, look = 1000, limit = q.limit, needy = 0, length = 60000})
end
local function doubts() return {count = 0, latest = 0, issued = 0, strong = 0} end
local w = raw and cjson.decode(raw) or {
	gen = q.gen > 0 and q.gen or now, procs = {}, limit = q.limit, left = 0, whole = 0, back = 0, length = 60000,
	reset = 0, opened = 0, floor = 0, grace = 0, stale = 0, refusals = 0, odd = 0, asked = 0, asks = 0,
	passed = 0, allowed = 0, probe = 0, older = doubts(), newer = doubts(), said = 0, saidto = 0,
}

-- doubt counts requests of which no word came back, the last of which left at issued:
-- left may include them or not. The doubt is strong until the service has spoken to a
-- request that left later.
local function doubt(count, issued)
	local d = w.newer
	if d.issued <= w.saidto then d.strong = 0 end
	d.count, d.latest, d.issued = d.count + count, now, math.max(d.issued, issued)
	if issued > w.saidto then d.strong = d.strong + count end
end
-- dispel ends the doubts that the reply to a request ends which left at issued: those
-- of a batch that was surely used before.
local function dispel(issued)
	for _ = 1, 2 do
		if w.older.count == 0 or issued >= w.older.latest then
			w.back = w.back + w.older.count
			w.older, w.newer = w.newer, doubts()
		end
	end
end

-- What a process held that is not heard of any more may have been used or not.
for id, p in pairs(w.procs) do
	if p.expires < now and id ~= q.id then
		if p.gen == w.gen and p.out > 0 then doubt(p.out, 0) end
		w.procs[id] = nil
	end
end
local me = {gen = w.gen, out = 0, old = 0, expires = now + q.lease, prio = q.prio, since = now - q.age, waiting = q.waiting, first = q.first, kept = 0}
if q.gen == w.gen then me.out, me.old = q.held, q.old elseif q.gen == w.gen - 1 then me.old = q.held end
local last = w.procs[q.id]
if last and last.first == q.first then me.since = math.min(me.since, last.since) end -- the question that travelled least is right
w.procs[q.id] = me

-- turn begins a window. What is under way belongs to the one before.
local function turn()
	w.gen, w.stale, w.opened, w.left = w.gen + 1, now + 5000, now, w.limit
	w.heard, w.known, w.guessed, w.probing = false, false, false, false
	w.floor, w.older, w.newer, w.asked, w.asks, w.passed = 0, doubts(), doubts(), 0, 0, 0
	me.gen, me.old, me.out = w.gen, me.out, 0
end
-- hear takes in what remains. It never rises.
local function hear(remaining)
	if remaining < 0 then
		w.unlimited, w.heard, w.probing = true, true, false
	elseif w.heard and not w.unlimited then
		w.left = math.min(w.left, remaining)
	else
		w.left, w.whole, w.back = remaining, math.min(remaining + w.passed, math.max(w.limit, remaining + 1)), 0
		w.heard, w.unlimited, w.probing = true, false, false
	end
end
local function done(at)
	w.refusals = 0
	if news.reset and news.reset > 0 then
		w.odd = 0
		if not w.known then
			if w.ontime then w.length, w.grace = math.max(at - w.opened, 1000), w.grace - math.ceil(w.grace / 32) end
			w.reset, w.known = at, true
		elseif at - w.reset > math.max(1000, math.min(5000, w.length / 2)) then -- a window after the one that is known
			turn()
			w.reset, w.known, w.passed = at, true, 1
		else
			w.reset = math.max(math.min(w.reset, at), w.floor)
		end
	elseif news.reset and news.reset > -5000 and not w.heard and w.odd < 3 then -- the service is still in the window before
		w.odd, w.reset, w.left, w.known, w.probing = w.odd + 1, now + 500, 0, false, false
		return
	end
	if news.remaining then
		hear(news.remaining)
		dispel(now - news.age)
		w.back, w.said, w.saidto, w.asks = w.back + news.replies, now, math.max(w.saidto, now - news.age), 0
	end
end
local function refused(at, current)
	local early = (at or now) - w.grace - now + news.age -- after the request left
	if current and at and w.ontime and not w.heard and math.abs(early) <= 5000 then -- it came too early for the service's clock
		w.grace = math.min(w.grace + (news.reset > 0 and math.max(early, 0) or 1000), 5000)
	end
	local till
	if at and news.reset > 0 then
		till, w.guessed, w.known = at, false, true
	elseif now < w.reset and (w.known or w.guessed) then
		till = w.reset
	else
		till = now + 1000 * 2 ^ math.min(w.refusals, 4)
		w.guessed, w.known, w.refusals = true, false, w.refusals + 1
	end
	w.floor = math.max(w.floor, till, now + 1000)
	w.reset, w.left, w.heard, w.unlimited, w.probing = w.floor, 0, true, false, false
end
-- kept takes in what a process has learned while it could not say so.
local function kept(at)
	if not news.remaining then return end
	if news.remaining < 0 then return hear(news.remaining) end
	if not at then
		if w.heard and now - news.age >= w.opened then hear(news.remaining) end
		return
	end
	if news.reset <= 0 or w.known and now < w.reset and at < w.reset - 1000 then return end -- of a window that is over
	if not w.known or at > w.reset + 1000 then
		turn()
		w.reset, w.known = at, true
		doubt(news.charged, now - news.age)
		me.out, me.old = q.held, q.old
	end
	w.passed = w.limit - news.remaining
	hear(news.remaining)
	w.said = now - news.age
end

local wakeall = false
if news then
	local at, current = news.reset and now + news.reset + 1 + w.grace, news.gen == w.gen and q.gen == w.gen
	if news.limit and (current or news.kind ~= 'done') then
		if not w.heard then w.left = w.left + news.limit - w.limit end
		w.limit, w.told = news.limit, true
	end
	if news.kind == 'kept' then
		kept(at)
		wakeall = true
	end
	if news.charged > 0 and q.gen == w.gen then
		if w.heard and news.kind ~= 'kept' and w.said <= now - news.age then
			w.left, w.back = w.left - news.charged, w.back + news.charged
		else
			doubt(news.charged, now - news.age)
		end
		if w.probing then w.allowed = math.max(2 * w.allowed, w.passed + 1) end
	end
	if news.canceled > 0 and q.gen == w.gen then
		w.asks = math.max(w.asks - news.canceled, 0) -- one that was to ask may be among them
		if w.probing then
			w.passed = math.max(w.passed - news.canceled, 0)
			if w.passed == 0 then w.reset = now end
		end
	end
	if news.kind == 'done' and current and not w.guessed then
		done(at)
	elseif news.kind == 'done' and w.known and at and news.reset > 0 and math.abs(at - w.reset) <= 1000 and (news.remaining or -1) >= 0 then
		w.left = math.min(w.left, news.remaining) -- it left before the window began here
	elseif news.kind == 'refused' and (news.gen == w.gen or at and news.reset > 0 and (not w.heard or at >= w.reset - 1000)) then
		refused(at, current)
		wakeall = true
	end
end
if now >= w.reset and q.want > 0 then
	local ontime = w.known and now - w.reset < 2000
	turn()
	w.ontime, w.reset, w.probing, w.allowed, w.probe = ontime, now + w.length, not w.unlimited, 1, now + 1000
end

-- Of a reply's remainder and a request under way it is not known whether the one
-- counts the other. Room is what surely may go; likely is what may go once all
-- are back that the service has counted already.
me.kept = math.max(math.min(q.reserve, math.floor(w.limit / 2)), 0)
local out, old, active = 0, 0, 0
for _, p in pairs(w.procs) do
	active = active + 1
	if p.gen == w.gen then out = out + p.out end
	if now < w.stale then
		if p.gen == w.gen then old = old + p.old elseif p.gen == w.gen - 1 then old = old + p.out end
	end
end
local doubtful, weak = w.older.count + w.newer.count, 0
local room = w.left - doubtful - out - old
local likely = room + old
if w.heard then
	local uncounted = math.max(w.whole - w.left - w.back, 0) -- that are not back, and counted by the service
	for _, d in ipairs({w.older, w.newer}) do weak = weak + d.count - (d.issued > w.saidto and d.strong or 0) end
	weak = math.max(weak, math.min(uncounted - out - old, doubtful))
	likely = likely + weak + math.min(out, uncounted)
end

local function before(id, p, id2, p2)
	if p.prio ~= p2.prio then return p.prio > p2.prio end
	if p.since ~= p2.since then return p.since < p2.since end
	return id < id2
end
-- A process that was called, and has not asked since, may be dead: it holds up
-- nobody until it asks.
local function waits(id, p) return id ~= q.id and p.waiting > 0 and not (p.called and now - p.called > 500) end
local ahead, rivals, needy = 0, 0, 0
for id, p in pairs(w.procs) do
	if waits(id, p) then
		if room + me.out > p.kept then needy = needy + 1 end
		if room > p.kept then
			rivals = rivals + 1
			if before(id, p, q.id, me) then ahead = ahead + (p.prio > q.prio and p.waiting or 1) end
		end
	end
end
local granted, look = 0, w.reset - now
if q.want > 0 and w.unlimited then
	granted = q.want + q.extra
elseif q.want > 0 then
	if w.probing and w.passed >= w.allowed and now >= w.probe then
		w.allowed, w.probe = 2 * w.allowed, now + 1000 -- no word for long: a few more
	end
	local free = room - me.kept
	if w.probing then free = math.min(free, w.allowed - w.passed) end
	granted = math.max(math.min(q.want, free - ahead), 0)
	if rivals > 0 then granted = math.min(granted, math.max(1, math.floor(free / (rivals + 1)))) end
	if granted == 0 and free > 0 then look = math.min(look, 50) end
	if granted == 0 and w.probing and w.passed >= w.allowed then look = math.min(look, w.probe - now) end
	if granted == 0 and room <= 0 and weak > 0 and room + weak > 0 then
		local ask = w.asked + 1000 * 2 ^ math.min(math.max(w.asks - 1, 0), 4) -- rare when none comes back with a word
		if now >= ask then granted, w.asked, w.asks = 1, now, w.asks + 1 -- it asks whether they were used
		else look = math.min(look, ask - now) end
	end
	if granted == q.want and rivals == 0 and not w.probing then
		granted = granted + math.max(math.min(q.extra, math.floor((free - granted) / (4 * active))), 0)
	end
	if w.probing then w.passed = w.passed + granted end
end
me.out, room, likely = me.out + granted, room - granted, likely - granted
me.waiting = math.max(me.waiting - granted, 0)

local wake, best = {}, nil
for id, p in pairs(w.procs) do
	if waits(id, p) then
		if wakeall then wake[#wake + 1] = id end
		if room > p.kept and (not best or before(id, p, best, w.procs[best])) then best = id end
	end
end
if best and (not w.probing or w.passed < w.allowed) then
	if not wakeall then wake[1] = best end
	w.procs[best].called = w.procs[best].called or now
end
if me.out + me.old + me.waiting == 0 then w.procs[q.id] = nil end
redis.call('SET', KEYS[1], cjson.encode(w), 'PX', math.max(w.reset - now, 0) + 600000)
for _, id in ipairs(wake) do redis.pcall('PUBLISH', q.channel .. id, KEYS[1]) end
return cjson.encode({granted = granted, gen = w.gen, room = room, likely = likely, reset = w.reset - now, look = math.max(look, 1),
	heard = w.heard, told = w.told, unlimited = w.unlimited, limit = w.limit, needy = needy, length = w.length})
