package ryzeredis

import "time"

func (w *window) kick() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.start()
}

// start has Redis asked, now or after the question that is under way.
func (w *window) start() {
	if w.busy {
		w.again = true
		return
	}
	w.busy = true
	if err := w.l.ask(w.run); err != nil {
		w.busy = false
		w.fail(err)
	}
}

// ask runs fn in the background, unless the limiter is closed or Redis away.
func (l *Limiter) ask(fn func()) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closing:
		return errClosed
	case l.outage != nil:
		return errSlow
	}
	l.work.Go(fn)
	return nil
}

// arm has Redis asked in d at the latest.
func (w *window) arm(d time.Duration) {
	due := time.Now().Add(d)
	if w.closed || !w.due.IsZero() && !due.Before(w.due) {
		return
	}
	w.disarm()
	w.due = due
	w.timer = time.AfterFunc(d, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.due.Equal(due) {
			w.due = time.Time{}
			w.start()
		}
	})
}

func (w *window) disarm() {
	if w.timer != nil {
		w.timer.Stop()
	}
	w.due = time.Time{}
}

// run asks until there is nothing more to ask.
func (w *window) run() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		w.again = false
		var err error
		if w.estranged {
			err = w.reconcile()
		}
		if err == nil {
			err = w.put()
		}
		if err != nil {
			w.busy = false
			// In this order: who fails goes to the memory.
			w.l.away(err, w)
			w.fail(errSlow)
			return
		}
		if !w.again && len(w.pending) == 0 {
			break
		}
	}
	w.busy = false
	w.rearm(time.Now())
}

// rearm sets the timer for the next question.
func (w *window) rearm(now time.Time) {
	w.disarm()
	switch {
	case len(w.waiters) > 0:
		wait := min(w.view.look.Sub(now), heartbeat)
		if !w.l.heard.Load() {
			wait = min(wait, flushAfter) // nobody wakes this process yet
		}
		for _, me := range w.waiters {
			wait = min(wait, me.latest.Sub(now)+1)
		}
		w.arm(max(wait, time.Millisecond))
	case w.free > 0:
		w.arm(idleAfter)
	case w.flying+w.old > 0:
		w.arm(heartbeat)
	}
}

// put puts one question to Redis, with w.mu given up meanwhile, and takes in the
// answer.
func (w *window) put() error {
	now := time.Now()
	if !now.Before(w.view.reset) || w.expired(now) || w.free > 0 && len(w.waiters) == 0 && now.Sub(w.used) >= idleAfter {
		w.free = 0
	}
	q := &question{Gen: w.gen}
	told, news := w.next()
	if news {
		q.News = told.news(now)
	}
	w.want(q, now)
	// What is back and not told yet counts as under way.
	q.Held, q.Old = w.flying, w.old
	for i := range w.pending {
		switch e := &w.pending[i]; {
		case e.canceled > 0:
		case e.gen == w.gen:
			q.Held++
		case e.gen == w.gen-1:
			q.Old++
		}
	}
	if q.Want > 0 {
		w.free = 0 // asked for anew
	}
	q.Held += w.free
	asking, reported := w.number, w.reported
	w.reported = nil
	w.mu.Unlock()
	a, err := w.l.call(w.l.ctx, w, q)
	w.mu.Lock()
	w.reported = append(reported, w.reported...)
	if err != nil {
		if news {
			w.pending = append([]learned{told}, w.pending...)
		}
		return err
	}
	w.learn(a, asking, now)
	w.answered()
	return nil
}

// want asks for the first waiter, and for those that are like it.
func (w *window) want(q *question, now time.Time) {
	if len(w.waiters) == 0 {
		return
	}
	first := w.waiters[0].req
	q.First = w.waiters[0].number
	q.Prio, q.Reserve, q.Age = int(first.Priority), first.Reserve, now.Sub(first.Since).Milliseconds()
	alike := true
	for _, me := range w.waiters {
		alike = alike && me.req.Priority == first.Priority && me.req.Reserve == first.Reserve
		if me.asked = alike; !alike {
			continue
		}
		q.Want++
		if me.req.MaxWait > 0 {
			q.Waiting++ // the others are refused by the answer if they are not served
		}
	}
	if now.Sub(w.asked) < idleAfter {
		w.burst = min(2*w.burst+1, mostExtra)
	} else {
		w.burst = 0
	}
	w.asked, q.Extra = now, w.burst
}

// learn takes in the answer to a question that was put at asked, and serves those
// whose number is not higher than asking.
func (w *window) learn(a *windowState, asking uint64, asked time.Time) {
	now := time.Now()
	if a.Gen != w.gen {
		if a.Gen != w.gen+1 {
			w.flying = 0 // of a window before that, or of a Redis that has forgotten it
		}
		w.old, w.flying, w.free, w.gen = w.flying, 0, 0, a.Gen
	}
	w.free += a.Granted
	w.leased = asked
	w.view = view{windowState: *a, reset: now.Add(time.Duration(a.Reset) * time.Millisecond), look: now.Add(time.Duration(a.Look) * time.Millisecond)}
	w.serve(asking, now)
	if w.free > 0 && len(w.waiters) == 0 && a.Needy > 0 {
		w.free, w.again = 0, true // others need it
	}
}
