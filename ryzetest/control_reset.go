package ryzetest

// reset starts afresh: what was made, written and logged is gone, and the faults and
// windows with it. Instances that the program itself has made are there again, with
// their tokens, and connected if it had paired them. Time goes on where it was.
func (c *controlCall) reset() (any, error) {
	s := c.s
	s.faults.mu.Lock()
	s.faults.queues = nil
	s.faults.mu.Unlock()
	s.windows.reset()

	s.mu.Lock()
	defer s.mu.Unlock()
	s.world, s.degraded, s.frozen = world{}, map[string]string{}, false
	s.hookLog, s.dead = nil, nil
	s.resets++
	for _, a := range s.accounts {
		for _, i := range append([]*Instance(nil), a.instances...) {
			i.stopPairing()
			i.stopReconnect()
			i.hooks, i.stream = nil, nil // nobody is told
			i.remove()
			i.dropSockets(0)
			if i.seed.made {
				i.begin(a)
			}
		}
	}
	s.log.reset()
	s.changed(ChangesLost)
	return obj{}, nil
}

// begin makes an instance that was removed anew, in its place. Those who hold it
// go on with it.
func (i *Instance) begin(a *account) {
	fresh := i.s.newInstance(a, i.name, i.token)
	i.life = fresh.life
	a.instances[len(a.instances)-1] = i
	if i.seed.phone != "" {
		i.pair(i.seed.phone)
	}
}

// reset forgets the windows.
func (ws *windows) reset() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	clear(ws.open)
}
