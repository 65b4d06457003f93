#pragma once

// What has to hold of a connection before anything is recorded over it: what the server says is
// committed is on its disk. A tuned synchronous_commit would lose the last orders with the server,
// after they were acknowledged and their outbox entries removed; fsync and full_page_writes, with
// its machine, anything.

#include <flashsale/postgres.hpp>

namespace flashsale::postgres {

/// Sets synchronous_commit for the session, which wins over the URL's options, the role, the
/// database and the server's configuration, also when that is loaded again later. `on` is the
/// least; `remote_apply`, which waits for more, stays. Its row is for check_durable(). One
/// statement, without parameters, in the binary format.
const char* durability_query();

/// Refuses (error::kind::not_durable) what is weaker; `answer` is what the server made of it.
std::expected<void, error> check_durable(const rows& answer);

}  // namespace flashsale::postgres
