#pragma once

// A pooler between us and PostgreSQL. What a session of ours sets, prepares and holds a lease by is
// the server connection's, so a pooler must hand those out for whole sessions. And behind one
// synchronous_commit must be on without a session's SET: each connection asks for that when it is
// made.

#include <expected>

#include "flashsale/postgres.hpp"

namespace flashsale::postgres {

/// Connects, and refuses (error::kind::not_durable) a pooler that hands out server connections by
/// the transaction or the statement. Blocks, for two connections and a few statements if there is a
/// pooler, else for one connection.
std::expected<void, error> check_pooler(const options& from);

}  // namespace flashsale::postgres
