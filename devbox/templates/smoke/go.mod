module example.com/smoke

go 1.25.0

require example.com/service v0.0.0

replace example.com/service => ../service
