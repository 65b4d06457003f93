#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "user_record.hpp"

namespace flashsale::test {

/// Users of a database of either kind, and what they pay.
struct payers : user_record {
    explicit payers(database_kind kind = each_database()) : user_record(kind) {}

    std::int64_t payer(std::string name, std::int64_t balance) {
        return create(name, balance, name)->who.id;
    }
    /// Of an order of its own.
    user::charge charge(std::int64_t user_id, std::int64_t amount) {
        return {ids.make(), ids.make(), user_id, amount};
    }

    /// `t` for each that is taken, `d` for each that is declined.
    std::string decide(const std::vector<user::charge>& all) {
        const auto made = charges->decide(all);
        if (!made) throw std::runtime_error(made.error());
        return shown(*made);
    }
    static std::string shown(const std::vector<user::charge_decision>& made) {
        std::string out;
        for (const user::charge_decision one : made)
            out.push_back(one == user::charge_decision::taken ? 't' : 'd');
        return out;
    }

    /// Whether the database takes none of it.
    bool refuses(const std::string& sql) {
        return database.session() != nullptr ? !database.session()->script(sql).has_value()
                                             : !database.file()->script(sql).has_value();
    }
    /// A value of SQL.
    std::string literal(const uuid& id) {
        if (database.session() != nullptr) return "'" + id.to_string() + "'";
        std::string digits = id.to_string();
        std::erase(digits, '-');
        return "x'" + digits + "'";
    }

    uuid_generator ids;
};

}  // namespace flashsale::test
