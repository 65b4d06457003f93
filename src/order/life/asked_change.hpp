#pragma once

// A change that a request asks for, while the clerk has it.

#include <flashsale/base/time.hpp>
#include <flashsale/order/changes.hpp>
#include <flashsale/order/clerk.hpp>

#include <expected>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace flashsale::order {

using id_set = std::unordered_set<uuid, uuid_hash>;
template <class T>
using by_id = std::unordered_map<uuid, T, uuid_hash>;

struct asked_change {
    change_request what;
    deadline until;      ///< then its outcome is unknown
    deadline record_at;  ///< then the clerk records the order itself
    uuid new_id = {};    ///< of the payment or refund that it may make; the same at each try
    std::optional<order_changes::answer> answer = {};  ///< until then it is asked again

    void fail(change_failure failure) { answer = std::unexpected(std::move(failure)); }
    void fail(change_failure::kind why) { fail(change_failure{.why = why}); }
    void fail(change_failure::kind why, order state) {
        fail(change_failure{.why = why, .what = std::move(state)});
    }
};

using batch = std::vector<asked_change*>;

/// An error's text is for people.
using done = std::expected<void, std::string>;

inline std::unexpected<std::string> text_of(const life_fault& fault) {
    return std::unexpected(fault.message);
}

}  // namespace flashsale::order
