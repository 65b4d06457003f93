#pragma once

#include <string>
#include <vector>

#include <flashsale/audit/sums.hpp>

namespace flashsale::audit::test {

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
            record.orders[ids[i]] = {ids[i], static_cast<std::int64_t>(i + 1), 1, 1, "key", 1,
                                     i + 1};
            record.takings[ids[i]] = {ids[i], 1, 1, stock::operation::sale, 1, i + 1};
        }
        events::event waiting;
        waiting.id = ids[3];
        waiting.user_id = 4;
        waiting.product_id = 1;
        waiting.quantity = 1;
        waiting.idempotency_key = "key";
        waiting.generation = 1;
        waiting.seq = 4;
        record.outbox[ids[3]] = waiting;
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
