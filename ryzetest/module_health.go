package ryzetest

import "net/http"

func healthRoutes() []route {
	return []route{
		{id: "observability.health", method: "GET", path: "/health", auth: authNone, rate: rateBypass, handle: health},
	}
}

// health has a body of its own, without the envelope.
func health(c *call) reply {
	s := c.s
	now := s.clock.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	checks := obj{"db": "ok"}
	for name, reason := range s.degraded {
		checks[name] = "fail: " + reason
	}
	body := obj{
		"status":    "ok",
		"service":   "RyzeAPI",
		"uptime":    now.Sub(s.started).String(),
		"timestamp": utc(now),
		"checks":    checks,
	}
	if len(s.degraded) == 0 {
		return reply{status: http.StatusOK, body: body}
	}
	body["status"] = "degraded"
	return reply{status: http.StatusServiceUnavailable, body: body}
}
