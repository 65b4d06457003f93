#pragma once

// What has to hold of a connection before anything is recorded over it: what the server says is
// committed is on its disk. A tuned synchronous_commit would lose the last orders with the server,
// after they were acknowledged and their outbox entries removed; fsync and full_page_writes, with
// its machine, anything.

#include <flashsale/postgres.hpp>

namespace flashsale::postgres {

/// Sets synchronous_commit and, unless the URL has options of its own, the timeouts for the
/// session; a pooler refuses or drops what is said while connecting. synchronous_commit, set so,
/// wins over the URL's options, the role, the database and the server's configuration, also when
/// that is loaded again later. `on` is the least; `remote_apply`, which waits for more, stays. Its
/// row is for check_session(). One statement, without parameters, in the binary format.
/// `announced_pid` is the backend's as libpq was told while connecting: a pooler makes one up. The
/// expensive question is asked behind one alone.
std::string session_query(const options& from, int announced_pid);

/// Whether a pooler stands between us and the server.
bool is_pooled(const rows& answer);

/// Refuses (error::kind::not_durable) what is weaker; `answer` is what the server made of it.
std::expected<void, error> check_session(const options& from, const rows& answer);

}  // namespace flashsale::postgres
