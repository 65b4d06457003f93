#include "prepared_statements.hpp"

#include <cassert>

namespace flashsale::postgres {

const std::string* prepared_statements::find(const statement& what) const {
    const auto found = known_.find(what.name);
    if (found == known_.end() || !found->second.prepared) return nullptr;
    assert(found->second.sql.data() == what.sql || found->second.sql == what.sql);
    return &found->second.server_name;
}

const std::string& prepared_statements::add(const statement& what) {
    auto& known = known_[what.name];
    known.sql = what.sql;
    known.prepared = true;
    known.server_name = what.name;
    if (++known.attempts > 1) known.server_name += "/" + std::to_string(known.attempts);
    return known.server_name;
}

void prepared_statements::forget(const std::string& server_name) {
    for (auto& [name, known] : known_) {
        if (known.server_name == server_name) known.prepared = false;
    }
}

}  // namespace flashsale::postgres
