package main

import "github.com/prometheus/client_golang/prometheus"

// container is what the kernel counts for this container: a cgroup, or a job object of Windows. Nil: unknown, or no limit.
type container struct {
	cpuSeconds       *float64
	throttledSeconds *float64
	cpuLimit         *float64
	memory           *float64
	memoryLimit      *float64
}

type containerCollector struct{ read func() container }

var containerMetrics = []struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(container) *float64
}{
	{
		prometheus.NewDesc("go_win_probe_container_cpu_seconds_total", "CPU time of this container.", nil, nil),
		prometheus.CounterValue,
		func(c container) *float64 { return c.cpuSeconds },
	},
	{
		prometheus.NewDesc("go_win_probe_container_cpu_throttled_seconds_total", "Time for which this container waited because of its CPU limit.", nil, nil),
		prometheus.CounterValue,
		func(c container) *float64 { return c.throttledSeconds },
	},
	{
		prometheus.NewDesc("go_win_probe_container_cpu_limit_cores", "CPU limit of this container, in cores. Absent without a limit.", nil, nil),
		prometheus.GaugeValue,
		func(c container) *float64 { return c.cpuLimit },
	},
	{
		prometheus.NewDesc("go_win_probe_container_memory_bytes", "Memory that this container uses.", nil, nil),
		prometheus.GaugeValue,
		func(c container) *float64 { return c.memory },
	},
	{
		prometheus.NewDesc("go_win_probe_container_memory_limit_bytes", "Memory limit of this container. Absent without a limit.", nil, nil),
		prometheus.GaugeValue,
		func(c container) *float64 { return c.memoryLimit },
	},
}

func (c containerCollector) Describe(to chan<- *prometheus.Desc) {
	for _, metric := range containerMetrics {
		to <- metric.desc
	}
}

func (c containerCollector) Collect(to chan<- prometheus.Metric) {
	found := c.read()
	for _, metric := range containerMetrics {
		if value := metric.value(found); value != nil {
			to <- prometheus.MustNewConstMetric(metric.desc, metric.kind, *value)
		}
	}
}
