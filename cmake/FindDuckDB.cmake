# DuckDB's C header and static libraries, from `tools/bootstrap` (third_party/duckdb) or any unpacked release in DUCKDB_ROOT.

set(DUCKDB_ROOT "${CMAKE_SOURCE_DIR}/third_party/duckdb" CACHE PATH "folder with duckdb.h and DuckDB's static libraries")
find_path(DuckDB_INCLUDE_DIR duckdb.h PATHS "${DUCKDB_ROOT}" NO_DEFAULT_PATH)
file(GLOB DuckDB_LIBRARIES "${DUCKDB_ROOT}/*.a")
# jemalloc would replace malloc of the whole program; the sanitizers and glibc's own do better beside the rest of leat.
list(FILTER DuckDB_LIBRARIES EXCLUDE REGEX "jemalloc")

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(DuckDB REQUIRED_VARS DuckDB_INCLUDE_DIR DuckDB_LIBRARIES
  REASON_FAILURE_MESSAGE "run tools/bootstrap, or give -DDUCKDB_ROOT=")

if(DuckDB_FOUND AND NOT TARGET DuckDB::DuckDB)
  add_library(DuckDB::DuckDB INTERFACE IMPORTED)
  target_include_directories(DuckDB::DuckDB SYSTEM INTERFACE "${DuckDB_INCLUDE_DIR}")
  target_link_libraries(DuckDB::DuckDB INTERFACE
    -Wl,--start-group ${DuckDB_LIBRARIES} -Wl,--end-group Threads::Threads ${CMAKE_DL_LIBS})
endif()
