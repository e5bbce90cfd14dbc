// Names the module that carries DuckDB's header and static libraries, so that
// `go mod download` checks it against go.sum. There is no Go code here.
module leat.invalid/deps

go 1.19

require github.com/duckdb/duckdb-go-bindings/lib/linux-amd64 v0.10505.0
