package otelryze

import (
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// Option is an option of [Observer].
type Option interface {
	apply(*config)
}

type config struct {
	tracers trace.TracerProvider
	meters  metric.MeterProvider
}

type optionFunc func(*config)

func (f optionFunc) apply(c *config) { f(c) }

// WithTracerProvider sets the provider of spans. The default, also for nil, is
// [otel.GetTracerProvider].
func WithTracerProvider(provider trace.TracerProvider) Option {
	return optionFunc(func(c *config) { c.tracers = provider })
}

// WithMeterProvider sets the provider of metrics. The default, also for nil, is
// [otel.GetMeterProvider].
func WithMeterProvider(provider metric.MeterProvider) Option {
	return optionFunc(func(c *config) { c.meters = provider })
}

func configOf(opts []Option) config {
	var c config
	for _, opt := range opts {
		if opt != nil {
			opt.apply(&c)
		}
	}
	if c.tracers == nil {
		c.tracers = otel.GetTracerProvider()
	}
	if c.meters == nil {
		c.meters = otel.GetMeterProvider()
	}
	return c
}
