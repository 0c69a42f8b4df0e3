package ryze

import "time"

type doubts struct {
	count  int
	latest time.Duration // when the last of them surely was used
	issued time.Duration // when the last of them left
	strong int           // how many had left after the latest request to which the service had spoken
}

// add doubts t, which surely was used at a time; the latest request to which the
// service has spoken left at saidTo.
func (d *doubts) add(t *ticket, at, saidTo time.Duration) {
	if d.issued <= saidTo {
		d.strong = 0
	}
	d.count++
	d.latest, d.issued = max(d.latest, at), max(d.issued, t.issued)
	if t.issued > saidTo {
		d.strong++
	}
}

// weak is how many of them left before a request to which the service has spoken.
func (d *doubts) weak(saidTo time.Duration) int {
	if d.issued <= saidTo {
		return d.count
	}
	return d.count - d.strong
}

func (t *ticket) Done(rate RateLimit) { t.window.done(t, rate) }

func (t *ticket) Refused(rate RateLimit) { t.window.refused(t, rate) }

func (t *ticket) Cancel() { t.window.cancel(t) }

// expected says when a request with so many others ahead of it can go that leaves
// a reserve to others.
func (w *window) expected(ahead, reserve int, now time.Duration) time.Duration {
	room, reset, open := w.likely(now), w.reset, true
	if now < w.staleUntil {
		room += w.stale // they come back in a moment
	}
	switch {
	case w.unlimited:
		return now
	case now >= w.reset:
		room, reset, open = w.limit, now+w.span(), false
	case w.probing:
		room, open = w.limit-w.inFlight, false // the first reply will tell
		if !w.known && !w.guessed {
			reset = max(min(reset, w.opened+w.span()), now)
		}
	}
	kept := w.kept(reserve)
	if free := room - kept; ahead >= free {
		windows := (ahead - max(free, 0)) / (w.limit - kept)
		return reset + time.Duration(windows)*w.span()
	}
	if apart := w.few() - (room - ahead); open && apart > 0 {
		return min(max(now, w.last+time.Duration(min(apart, ahead+1))*slowPause), reset)
	}
	return now
}

// likely is how many requests may still go once those under way are back.
// Replies do not come in order, so left may include many of them already, and those
// that are weakly in doubt.
func (w *window) likely(now time.Duration) int {
	return w.room(now) + w.weak() + min(w.inFlight, max(w.unaccounted()-w.slow, 0))
}

// span is how long a window takes at least, as far as is known.
func (w *window) span() time.Duration {
	if w.measured || w.seen == 0 {
		return w.length
	}
	return max(w.seen, shortestReset)
}

// soonest is the same by what is known alone, so that nobody is refused on a
// guess: without a limit that the service has said, the first reply of a window
// may tell of room for all.
func (w *window) soonest(ahead, reserve int, now time.Duration) time.Duration {
	switch at := w.expected(ahead, reserve, now); {
	case w.limitSaid:
		return at
	case w.awaited(now):
		return now
	default:
		return min(at, max(w.reset, now))
	}
}

// awaited reports whether a reply may still come that tells the limit of the
// window.
func (w *window) awaited(now time.Duration) bool {
	return now >= w.reset || w.probing && (w.inFlight > 0 || w.room(now) > 0)
}

// outlook is what decides about the waits of those in the queue.
type outlook struct {
	room    int
	reset   time.Duration
	span    time.Duration
	awaited bool
}

func (w *window) outlook(now time.Duration) outlook {
	if w.probing || now >= w.reset {
		return outlook{w.limit, w.reset, w.span(), w.awaited(now)}
	}
	return outlook{w.likely(now), w.reset, w.span(), false}
}

// moved goes on after something was learned.
func (w *window) moved(before outlook, now time.Duration) {
	after := w.outlook(now)
	if after.room < before.room || after.reset > before.reset || after.span > before.span || before.awaited && !after.awaited {
		w.dirty = true
	}
	w.serve(now)
}

// done takes in what the reply to a request said.
func (w *window) done(t *ticket, rate RateLimit) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := time.Now()
	now := at.Sub(w.base)
	w.age(now)
	before := w.outlook(now)
	reset, said := w.moment(rate.Reset, at)
	switch current := w.land(t); {
	case current:
		w.refusals = 0
		w.learn(t, rate, reset, said, now)
	case rate.Known && w.heard && w.known && said && max(reset-w.reset, w.reset-reset) <= sameWindow:
		// Sent before this window began here, and yet counted in it.
		w.lower(rate)
	}
	w.moved(before, now)
}

// moment turns what was said of the end of a window into a moment, with the
// grace that this service needs.
func (w *window) moment(reset, now time.Time) (at time.Duration, said bool) {
	if reset.IsZero() {
		return 0, false
	}
	return now.Sub(w.base) + reset.Sub(now) + w.grace, true
}

// learn takes in the reply to a request of this window.
func (w *window) learn(t *ticket, rate RateLimit, reset time.Duration, said bool, now time.Duration) {
	w.setLimit(rate)
	if w.guessed {
		return // a 429 has spoken since; the next window will tell
	}
	switch {
	case !said:
	case reset-w.grace > now:
		w.odd = 0
		w.setReset(t, rate, reset, now)
	case w.odd >= mostOdd:
		// Always in the past: it means something else.
	case reset-w.grace > t.issued && (!w.known || w.reset-reset <= sameWindow):
		w.odd++ // the window ended while the reply was on its way
		w.reset, w.known = max(now, reset), true
	case !w.heard && t.issued-reset <= sameWindow:
		// The service is still in the window before. Its header may cut off
		// fractions of a second: come later from now on.
		w.odd++
		w.grace = min(w.grace+shortestReset, mostGrace)
		w.reset, w.left = now+shortestReset, 0
		w.known, w.probing = false, false
		return
	}
	w.setLeft(t, rate, now)
}

// first reports whether t opened the window.
func (w *window) first(t *ticket) bool { return t.issued == w.opened }

// setReset takes in an end that is still to come.
func (w *window) setReset(t *ticket, rate RateLimit, reset, now time.Duration) {
	switch {
	case !w.known:
		whole := rate.Known && rate.Remaining == rate.Limit-1 // but for this request
		if length := reset - w.opened; w.onTime && w.first(t) && (whole || length >= sameWindow) {
			w.length, w.measured = max(length, shortestReset), true
			w.grace -= w.grace / 32
		}
		w.seen = max(w.seen, reset-w.opened)
		w.reset, w.known = reset, true
	case reset-w.reset > sameWindow+now-t.issued:
		// A window after the one that we know of.
		w.next(now)
		w.heard, w.probing, w.left = false, false, w.limit
		w.reset, w.opened, w.onTime, w.passed = reset, now, false, 1
	default:
		// Each is late by what the reply took and its headers cut off.
		w.reset = max(min(w.reset, reset), w.floor)
	}
}

// setLeft takes in what remains, or else counts the request.
func (w *window) setLeft(t *ticket, rate RateLimit, now time.Duration) {
	switch {
	case rate.Unlimited():
		w.unlimited, w.heard, w.probing = true, true, false
	case !rate.Known:
		w.charge(t, now)
		w.allowed = max(2*w.allowed, w.passed+1) // it never speaks, or somebody else has answered
	case !w.heard || w.unlimited:
		w.left, w.heard, w.unlimited, w.probing = rate.Remaining, true, false, false
		w.whole, w.accounted = min(rate.Remaining+w.passed, max(w.limit, rate.Remaining+1)), 0
		if rate.Remaining == 0 && !w.known && w.limit > 1 {
			// By our count the window is new, yet nothing remains.
			w.reset = now + w.guess()
		}
	default:
		w.lower(rate)
	}
	if rate.Known {
		w.accounted++
		w.dispel(t)
		w.asks = 0
		w.saidAt, w.saidTo = now, max(w.saidTo, t.issued)
	}
}

// lower takes in what remains when it is less than what is known.
func (w *window) lower(rate RateLimit) {
	if rate.Remaining >= 0 {
		w.left = min(w.left, rate.Remaining)
	}
}

func (w *window) setLimit(rate RateLimit) {
	limit := rate.Limit
	if limit <= 0 && rate.Known {
		limit = max(w.limit, rate.Remaining)
	}
	if limit <= 0 {
		return
	}
	if !w.heard {
		w.left += limit - w.limit // it was assumed to be whole
	}
	w.limit, w.limitSaid = limit, w.limitSaid || rate.Limit > 0
}

// guess is how long to wait after a refusal that does not say how long.
func (w *window) guess() time.Duration {
	wait := shortestReset << min(w.refusals, mostDoublings)
	w.refusals++
	return wait
}

// refused takes in a 429.
func (w *window) refused(t *ticket, rate RateLimit) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := time.Now()
	now := at.Sub(w.base)
	w.age(now)
	before := w.outlook(now)
	reset, said := w.moment(rate.Reset, at)
	if current := w.land(t); current || said && reset > now && (!w.heard || reset >= w.reset-sameWindow) {
		w.hold(t, rate, reset, said, current, now)
	} // else it speaks of a window that is over
	w.moved(before, now)
}

// hold lets nothing go until the end that a 429 spoke of.
func (w *window) hold(t *ticket, rate RateLimit, reset time.Duration, said, current bool, now time.Duration) {
	usable := said && reset-w.grace > now
	if current && said && !w.heard && w.onTime && max(reset-t.issued, t.issued-reset) <= mostGrace {
		// The service is still in the window before: come later from now on.
		early := shortestReset
		if usable {
			early = reset - w.grace - t.issued
		}
		w.grace = min(w.grace+early, mostGrace)
	}
	if said && reset-w.grace > t.issued && reset-w.grace <= now-shortestReset {
		return // the window ended, and the wait is over, while the reply was on its way
	}
	ended := now >= w.reset
	var until time.Duration
	switch {
	case usable:
		until = reset
		w.guessed = false
	case !ended && (w.known || w.guessed && t.issued <= w.heldAt):
		until = w.reset // known already, or guessed for another of its kind
	default:
		until = now + w.guess()
		w.guessed, w.known = true, false
	}
	until = max(until, now+shortestReset)
	if w.known && usable && w.reset-until <= sameWindow {
		until = max(until, w.reset)
	}
	w.floor = max(w.floor, until)
	w.reset, w.known = w.floor, w.known || usable
	w.setLimit(RateLimit{Limit: rate.Limit})
	w.left, w.heard, w.unlimited, w.probing = 0, true, false, false
	w.heldAt = now
}

// cancel takes back a request that never left.
func (w *window) cancel(t *ticket) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now()
	w.giveBack(t, now)
	w.serve(now)
}

func (w *window) giveBack(t *ticket, now time.Duration) {
	if !w.land(t) {
		return
	}
	if t.asks {
		w.asks = max(w.asks-1, 0) // it has not gone
	}
	if w.probing {
		if w.passed--; w.passed == 0 {
			w.reset = now // opened by a request that never left
		}
	}
}
