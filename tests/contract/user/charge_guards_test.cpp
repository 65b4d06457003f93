// What keeps a payment from being decided twice and a balance from being overspent, where another
// process is in the way; on each database.

#include <catch2/catch.hpp>

#include <algorithm>
#include <memory>
#include <optional>

#include "parallel.hpp"
#include "payers.hpp"

using namespace flashsale;
using namespace flashsale::test;
using flashsale::user::charge;

namespace {

/// A process's own way to the database.
class another {
public:
    explicit another(payers& record) {
        if (record.database.session() != nullptr) {
            session_.emplace(record.database.server());
            charges_ = user::make_postgres_charges(*session_);
            return;
        }
        auto opened = sqlite::database::open(
            {.file = record.database.file()->file(), .busy_timeout = std::chrono::seconds{60}});
        if (!opened) throw std::runtime_error(opened.error().message);
        file_.emplace(std::move(*opened));
        charges_ = user::make_sqlite_charges(*file_);
    }

    /// Asks again until there is an answer.
    std::string decide(const std::vector<charge>& all) {
        std::string fault;
        for (int tries_left = 100; tries_left > 0; --tries_left) {
            const auto made = charges_->decide(all);
            if (made) return payers::shown(*made);
            fault = made.error();
        }
        throw std::runtime_error(fault);
    }

private:
    std::optional<postgres::session> session_;
    std::optional<sqlite::database> file_;
    std::unique_ptr<user::charges> charges_;
};

constexpr int rounds = 40;

/// Connected, so that they meet.
std::vector<std::unique_ptr<another>> several(payers& record) {
    std::vector<std::unique_ptr<another>> out;
    for (int i = 0; i < 8; ++i) {
        out.push_back(std::make_unique<another>(record));
        out.back()->decide({record.charge(0, 1)});
    }
    return out;
}

/// Each entry adds to what the one before it has left, and the last one's is the balance.
void check_adds_up(payers& record, std::int64_t user_id) {
    auto all = record.entries(user_id).value();
    std::ranges::reverse(all);
    std::int64_t sum = 0;
    for (const user::balance_entry& one : all) {
        sum += one.amount;
        CHECK(one.balance == sum);
        CHECK(sum >= 0);
    }
    CHECK(record.balance(user_id) == sum);
}

}  // namespace

TEST_CASE("user charges: processes that decide the same payments at once decide each once") {
    payers record;
    constexpr std::size_t processes = 8, payments = 120, batch = 12;
    const std::vector users{record.payer("ada", 300), record.payer("eve", 300),
                            record.payer("bob", 300)};
    std::vector<charge> all;
    for (std::size_t i = 0; i < payments; ++i) {
        const auto amount = static_cast<std::int64_t>(1 + i % 40);
        all.push_back(record.charge(users[i % users.size()], amount));
        // Every fourth is a second payment of an order that another may have paid for.
        if (i % 4 == 3) all.back().order_id = all[i - 3].order_id;
    }
    const auto answers = parallel(processes, [&](std::size_t process) {
        another own(record);
        std::string out(payments, '?');
        for (std::size_t piece = 0; piece < payments / batch; ++piece) {
            std::vector<std::size_t> places;
            for (std::size_t i = 0; i < batch; ++i)
                places.push_back(((piece + process) * batch + i * (1 + process % 2)) % payments);
            std::vector<charge> asked;
            for (const std::size_t place : places)
                asked.push_back(all[place]);
            const std::string made = own.decide(asked);
            for (std::size_t i = 0; i < batch; ++i) {
                char& seen = out[places[i]];
                // '!' for an answer that is another one than before.
                seen = seen == '?' || seen == made[i] ? made[i] : '!';
            }
        }
        const std::string at_last = own.decide(all);
        for (std::size_t i = 0; i < payments; ++i) {
            if (out[i] != '?' && out[i] != at_last[i]) out[i] = '!';
        }
        return std::pair(out, at_last);
    });
    const std::string& decided = answers[0].second;
    for (const auto& [seen, at_last] : answers) {
        CHECK_FALSE(seen.contains('!'));
        CHECK(at_last == decided);
    }
    CHECK(record.decide(all) == decided);
    for (const std::int64_t user_id : users) {
        check_adds_up(record, user_id);
        std::int64_t left = 300;
        for (std::size_t i = 0; i < payments; ++i) {
            if (all[i].user_id == user_id && decided[i] == 't') left -= all[i].amount;
        }
        CHECK(record.balance(user_id) == left);
        CHECK(left < 40);  // or the next one would have been taken
    }
    for (std::size_t i = 3; i < payments; i += 4)
        CHECK_FALSE((decided[i] == 't' && decided[i - 3] == 't'));
}

TEST_CASE("user charges: deposits and payments at once leave what the entries add up to") {
    payers record(database_kind::postgres);
    const auto ada = record.payer("ada", 0);
    constexpr std::size_t processes = 8;
    constexpr std::int64_t times = 25;
    const auto spent = parallel(processes, [&](std::size_t process) {
        if (process % 2 == 0) {
            postgres::session own(record.database.server());
            for (std::int64_t i = 0; i < times; ++i) {
                const auto done = own.execute(
                    "WITH changed AS (UPDATE users SET balance = balance + 10 WHERE id = " +
                    std::to_string(ada) +
                    " RETURNING id, balance) INSERT INTO balance_entries (user_id, amount, kind,"
                    " idempotency_key, balance_after, created_at) SELECT id, 10, 'deposit', '" +
                    std::to_string(process) + " " + std::to_string(i) +
                    "', balance, clock_timestamp() FROM changed");
                if (!done) throw std::runtime_error(done.error().message);
            }
            return std::int64_t{0};
        }
        another own(record);
        uuid_generator ids;
        std::int64_t taken = 0;
        for (std::int64_t i = 0; i < times; ++i) {
            const std::string made =
                own.decide({{ids.make(), ids.make(), ada, 7}, {ids.make(), ids.make(), ada, 8}});
            taken += (made[0] == 't' ? 7 : 0) + (made[1] == 't' ? 8 : 0);
        }
        return taken;
    });
    std::int64_t sum = times * 10 * static_cast<std::int64_t>(processes) / 2;
    for (const std::int64_t one : spent)
        sum -= one;
    CHECK(record.balance(ada) == sum);
    check_adds_up(record, ada);
}

TEST_CASE("user charges: one payment that processes decide for several users is decided once") {
    // No lock on a user keeps these apart: all of the users but one do not exist.
    payers record;
    const auto ada = record.payer("ada", 1'000);
    auto processes = several(record);
    for (int round = 0; round < rounds; ++round) {
        const charge asked = record.charge(ada, 1);
        const auto answers = parallel(processes.size(), [&](std::size_t process) {
            charge mine = asked;
            mine.user_id = ada + static_cast<std::int64_t>(process);
            return processes[process]->decide({mine});
        });
        const std::string decided = record.decide({asked});
        for (const std::string& one : answers)
            CHECK(one == decided);
    }
    check_adds_up(record, ada);
}

TEST_CASE("user charges: of an order that several users pay for at once, one payment is taken") {
    payers record;
    auto processes = several(record);
    std::vector<std::int64_t> users;
    for (std::size_t i = 0; i < processes.size(); ++i)
        users.push_back(record.payer("user " + std::to_string(i), 1'000));
    for (int round = 0; round < rounds; ++round) {
        const uuid order = record.ids.make();
        const auto answers = parallel(users.size(), [&](std::size_t i) {
            return processes[i]->decide({{uuid_generator().make(), order, users[i], 1}});
        });
        CHECK(std::ranges::count(answers, "t") == 1);
    }
    std::int64_t left = 0;
    for (const std::int64_t one : users)
        left += record.balance(one);
    CHECK(left == static_cast<std::int64_t>(users.size()) * 1'000 - rounds);
}

TEST_CASE("user charges: of what cannot be written as a whole, nothing happens") {
    payers record;
    const auto ada = record.payer("ada", 100);
    const auto eve = record.payer("eve", 100);
    const std::vector asked{record.charge(ada, 10), record.charge(eve, 20)};
    record.database.sql(
        "CREATE UNIQUE INDEX one_of_a_kind ON balance_entries (kind) WHERE kind = 'payment'");
    CHECK_FALSE(record.charges->decide(asked).has_value());
    CHECK(record.balance(ada) == 100);
    CHECK(record.entries(ada)->size() == 1);
    record.database.sql("DROP INDEX one_of_a_kind");
    CHECK(record.decide(asked) == "tt");
    CHECK(record.balance(ada) == 90);
    CHECK(record.balance(eve) == 80);
}

TEST_CASE("user charges: a user who is made later does not pay what was declined") {
    payers record;
    const auto ada = record.payer("ada", 0);
    const charge of_none = record.charge(ada + 1, 5);
    const charge nothing_of_none = record.charge(ada + 1, 0);
    CHECK(record.decide({of_none, nothing_of_none}) == "dd");
    REQUIRE(record.payer("eve", 100) == ada + 1);
    CHECK(record.decide({nothing_of_none, of_none}) == "dd");
    CHECK(record.balance(ada + 1) == 100);
}

TEST_CASE("user charges: a balance above 2^53 - 1, which 0.1 allowed, can be spent") {
    payers record;
    const auto ada = record.payer("ada", user::balance_max + 100);
    CHECK(record.decide({record.charge(ada, 10)}) == "t");
    CHECK(record.balance(ada) == user::balance_max + 90);
    check_adds_up(record, ada);
}

TEST_CASE("user charges: a payment's entry alone has its order and its id") {
    payers record;
    const auto ada = record.payer("ada", 100);
    const charge one = record.charge(ada, 60);
    REQUIRE(record.decide({one}) == "t");
    REQUIRE(record.deposit(ada, 5, "k").has_value());
    CHECK(record.deposit(ada, 5, "k")->entry.balance == 45);
    const auto all = record.entries(ada).value();
    REQUIRE(all.size() == 3);
    CHECK(all[1].kind == "payment");
    CHECK(all[1].amount == -60);
    CHECK(all[1].balance == 40);
    CHECK(all[1].order_id == one.order_id);
    CHECK(all[1].payment_id == one.payment_id);
    for (const std::size_t other : {0u, 2u}) {
        CHECK_FALSE(all[other].order_id);
        CHECK_FALSE(all[other].payment_id);
    }
}

TEST_CASE("user charges: neither database takes a row that no payment can have") {
    payers record;
    const auto ada = record.payer("ada", 100);
    const charge one = record.charge(ada, 10);
    REQUIRE(record.decide({one}) == "t");
    const bool is_sqlite = record.database.file() != nullptr;
    const std::string now = is_sqlite ? "1" : "now()";
    const auto decision = [&](const uuid& payment, const uuid& order, const std::string& amount,
                              bool taken) {
        const std::string yes = is_sqlite ? "1" : "true", no = is_sqlite ? "0" : "false";
        return "INSERT INTO charge_decisions"
               " (payment_id, order_id, user_id, amount, taken, decided_at) VALUES (" +
               record.literal(payment) + ", " + record.literal(order) + ", 1, " + amount + ", " +
               (taken ? yes : no) + ", " + now + ")";
    };
    const auto entry = [&](const std::string& payment, const std::string& order,
                           const std::string& amount, const std::string& key) {
        return "INSERT INTO balance_entries (user_id, kind, payment_id, order_id, amount,"
               " idempotency_key, balance_after, created_at) VALUES (" +
               std::to_string(ada) + ", 'payment', " + payment + ", " + order + ", " + amount +
               ", '" + key + "', 1, " + now + ")";
    };
    const uuid fresh = record.ids.make();
    const std::string id = record.literal(fresh);
    CHECK(record.refuses(decision(one.payment_id, fresh, "10", false)));
    CHECK(record.refuses(decision(fresh, one.order_id, "10", true)));
    CHECK(record.refuses(decision(fresh, fresh, "-1", false)));
    CHECK_FALSE(record.refuses(decision(fresh, one.order_id, "10", false)));

    CHECK(record.refuses(entry(id, id, "1", "k")));
    CHECK(record.refuses(entry("NULL", id, "-1", "k")));
    CHECK(record.refuses(entry(id, "NULL", "-1", "k")));
    CHECK(record.refuses(entry(id, id, "-1", one.payment_id.to_string())));
    CHECK_FALSE(record.refuses(entry(id, id, "-1", "k")));

    CHECK(record.refuses("UPDATE users SET balance = -1 WHERE id = " + std::to_string(ada)));
}
