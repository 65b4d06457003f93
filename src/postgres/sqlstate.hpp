#pragma once

// From a SQLSTATE to what the caller does about it.

#include <flashsale/postgres.hpp>
#include <string_view>

namespace flashsale::postgres {

/// What the server had done of the statement when it sent the error. In the extended protocol
/// CommandComplete comes before the implicit commit, so an error behind it may be the commit's own
/// (a deferred constraint: rolled back) or one that only met the session on its way out.
enum class commit_phase { before, perhaps_committed };

/// `fatal`: severity FATAL or PANIC, the server ends the connection with it.
error::kind classify(std::string_view sqlstate, bool fatal, commit_phase phase);

}  // namespace flashsale::postgres
