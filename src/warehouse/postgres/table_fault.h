#pragma once

#include <string>
#include <vector>

#include "clients/postgres/connection.h"
#include "duck/database.h"
#include "warehouse/postgres/ddl.h"

namespace leat::warehouse {

/// Whether an error is about one table's rows, shape or rights, so that the other tables can still be loaded.
bool ConcernsOneTable(const Error& error);

/// What a person is told of it. After a ROLLBACK TO SAVEPOINT, since the server is asked for the rights that are
/// missing.
///
/// LEAT0603: a right is missing; help is the GRANT. LEAT0605: the server or a cast refused rows; the message names
/// table and column, notes are the server's detail. LEAT0607: the table cannot be altered. Errors of our own (LEAT0601,
/// 0602) as they are.
Diagnostic DescribeFault(postgres::Connection& connection, const Definition& table, const Error& error);

/// The same for what stands above tables, a schema or the ledger in it: LEAT0603, or LEAT0606 where another load holds
/// the ledger for longer than the lock time-out; else the error as it is.
Error SchemaFault(postgres::Connection& connection, const std::string& schema, const postgres::ServerError& error);

/// LEAT0602: something of this name is there that this project did not make.
Error ForeignTable(const Definition& table, const ExistingTable& existing);

/// LEAT0607: the definition differs from the table in ways that leat does not bridge.
Error NotAlterable(const Definition& table, const std::vector<std::string>& refusals);

/// LEAT0608: a table that `table` references was not loaded.
Diagnostic Blocked(const TableSpec& table, const std::vector<std::string>& failed);

}  // namespace leat::warehouse
