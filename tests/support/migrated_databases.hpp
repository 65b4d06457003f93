#pragma once

#include <string>
#include <vector>

namespace flashsale::test {

/// Creates these databases, by URL user, stock and order, as `flashsale migrate` leaves them. Each
/// is a copy: the first test of a build migrates three databases, which stay with the servers, and
/// a copy costs a tenth of that. `suffix` is what their names have beyond the module's. Throws
/// std::runtime_error.
void make_migrated_databases(const std::vector<std::string>& urls, const std::string& suffix);

}  // namespace flashsale::test
