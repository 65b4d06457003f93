#pragma once

// The user database: balances, their entries, and the decisions about payments.

#include <flashsale/user/charges.hpp>
#include <flashsale/user/credits.hpp>

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "databases.hpp"

namespace flashsale::model {

class user_database : public database {
public:
    explicit user_database(world& in) : database(in, "user database") {}

    // Each is one transaction of src/user.
    std::vector<user::charge_decision> decide(const std::vector<user::charge>& all);
    std::vector<uuid> give_back(const std::vector<user::credit>& all);
    void deposit(std::int64_t user, std::int64_t amount, const std::string& key);

    struct entry {
        std::int64_t user = 0, amount = 0;
        std::string kind, key;
        uuid payment = {};
    };
    struct decision {
        user::charge of;
        user::charge_decision what = user::charge_decision::declined;
    };
    void open(std::int64_t user, std::int64_t starting);

    std::map<std::int64_t, std::int64_t> balances;
    std::vector<entry> entries;
    std::map<uuid, decision> decisions;

private:
    bool has_entry(std::int64_t user, std::string_view kind, std::string_view key) const;
    void add(entry one);

    std::set<std::tuple<std::int64_t, std::string, std::string>, std::less<>> keys_;
};

}  // namespace flashsale::model
