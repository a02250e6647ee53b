module nodepass-bench-load

go 1.21
