module example.com/service

go 1.25.0
