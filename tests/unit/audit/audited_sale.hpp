#pragma once

#include <string>
#include <vector>

#include <flashsale/audit/sums.hpp>

namespace flashsale::audit::test {

inline stock::allocation sold_to(std::int64_t user, const uuid& id, std::uint64_t seq) {
    return {.order_id = id,
            .product_id = 1,
            .user_id = user,
            .quantity = 1,
            .idempotency_key = "key",
            .epoch = 1,
            .seq = seq};
}

/// As the ledger has it.
inline stock::allocation taken(const uuid& id, std::uint64_t seq) {
    return {.order_id = id, .product_id = 1, .quantity = 1, .epoch = 1, .seq = seq};
}

/// A sale of 10 units of product 1 with three orders recorded and one in the outbox, all sums
/// right.
struct sale {
    audit_record record;
    std::vector<uuid> ids;

    sale() {
        uuid_generator make;
        for (int i = 0; i < 4; ++i)
            ids.push_back(make.make());
        for (std::uint64_t i = 0; i < 3; ++i) {
            record.orders[{ids[i]}] = sold_to(static_cast<std::int64_t>(i + 1), ids[i], i + 1);
            record.movements[{ids[i]}] = taken(ids[i], i + 1);
        }
        record.outbox[{ids[3]}] = sold_to(4, ids[3], 4);
        record.levels[1] = gate_level{6, 10, 1, 4};
        record.products[1] = {1, 10, 7, 1, 7, 10, 3, 0};
    }

    std::string fault() const {
        const auto result = add_up(record);
        return result.holds() ? "" : result.faults.front().sum;
    }
    std::vector<std::string> faults() const {
        std::vector<std::string> sums;
        for (const auto& one : add_up(record).faults)
            sums.push_back(one.sum);
        return sums;
    }
};

using only = std::vector<std::string>;

}  // namespace flashsale::audit::test
