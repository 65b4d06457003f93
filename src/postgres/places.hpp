#pragma once

// Several hosts, and several addresses of one host: each is a place of its own, with a deadline of
// its own. libpq would go through them in one attempt, and can neither be told to give one up nor
// say when it has come to the next; so it is given one at a time.

#include "settings.hpp"

namespace flashsale::postgres {

/// One for each host that the settings name, in order, its name not resolved.
std::vector<conninfo> hosts_of(const conninfo& settings);

/// One for each address of each host. Resolves names, and waits for that. An error: there is none.
std::expected<std::vector<conninfo>, std::string> places_of(const conninfo& settings);

/// `db.example:5432`, for messages; "" if libpq chooses.
std::string name_of_place(const conninfo& place);

}  // namespace flashsale::postgres
