// Users from before names were compared in one form: a database as it was, brought up to date.

#include <catch2/catch.hpp>

#include <flashsale/user/module.hpp>

#include "../module_database.hpp"

using namespace flashsale;
using namespace flashsale::test;
using flashsale::user::store_errc;

namespace {

const std::vector<std::string> steps{"0002_names", "0003_balance"};

constexpr int many = 4'500;  // more than are read at a time

std::vector<std::string> customers() {
    std::vector<std::string> out;
    for (int i = 0; i < many; ++i)
        out.push_back("Customer " + std::to_string(i));
    return out;
}

/// A database of the version before, with users; migrated by up_to_date().
class old_record {
public:
    explicit old_record(database_kind kind)
        : database_(kind, sandbox::database::user, user::sqlite_migrations().first(1)) {
        if (kind == database_kind::postgres)
            database_.sql(
                "DROP TABLE balance_entries; DROP TABLE charge_decisions; ALTER TABLE users DROP "
                "COLUMN compared_name;"
                "DELETE FROM schema_migrations WHERE version > 1;");
    }

    void add(const std::vector<std::string>& names) {
        const std::string now = database_.file() != nullptr ? "1" : "now()";
        std::string rows;
        for (const std::string& name : names)
            rows += (rows.empty() ? "('" : ", ('") + name + "', 0, " + now + ")";
        database_.sql("INSERT INTO users (username, balance, created_at) VALUES " + rows);
    }

    std::vector<std::string> up_to_date() {
        auto applied = database_.migrate(user::postgres_migrations(), user::sqlite_migrations());
        store_ = database_.file() != nullptr
                     ? user::make_sqlite_store(*database_.queue(), database_.io())
                     : user::make_postgres_store(*database_.pool());
        return applied;
    }

    std::string create(const std::string& name) {
        const auto made = database_.wait(store_->create(name, 0, "key of " + name));
        if (made) return "made";
        return made.error() == store_errc::username_taken ? "taken" : "fault";
    }
    std::string named(const std::string& name) {
        const auto found = database_.wait(store_->find_by_name(name));
        if (!found) return "fault";
        return *found ? (*found)->username : "";
    }

private:
    module_database database_;
    std::unique_ptr<user::store> store_;
};

}  // namespace

TEST_CASE("user names: users from before are compared in one form once migrated") {
    old_record record(each_database());
    record.add({"Ada", "Zo\u00eb"});
    record.add(customers());
    CHECK(record.up_to_date() == steps);
    CHECK(record.up_to_date().empty());

    CHECK(record.create("ADA") == "taken");
    CHECK(record.create("zoe\u0308") == "taken");
    CHECK(record.create("customer 0") == "taken");
    CHECK(record.create("CUSTOMER " + std::to_string(many - 1)) == "taken");
    CHECK(record.create("customer " + std::to_string(many)) == "made");
    CHECK(record.named("ada") == "Ada");
    CHECK(record.named("customer 4321") == "Customer 4321");
}

TEST_CASE("user names: users from before who have one name keep theirs, and nobody else gets it") {
    old_record record(each_database());
    record.add({"ada", "eve", "Ada", "ADA", "a\u200bda"});
    record.add(customers());
    record.add({"EVE"});  // read long after the other
    CHECK(record.up_to_date() == steps);

    for (const char* name : {"ada", "Ada", "ADA", "a\u200bda", "eve", "EVE"}) {
        INFO(name);
        CHECK(record.named(name) == name);
        CHECK(record.create(name) == "taken");
    }
    CHECK(record.named("aDa") == "ada");  // the first one's
    CHECK(record.create("aDa") == "taken");
    CHECK(record.create("Eve") == "taken");
    CHECK(record.create("Eva") == "made");
}
