#include <algorithm>
#include <fstream>
#include <thread>

#include "opened.hpp"

using namespace flashsale;
using namespace flashsale::sqlite;
using namespace flashsale::sqlite::test;
using flashsale::test::scratch_folder;

namespace {

const std::vector<migration> two{
    {1, "0001_users", "CREATE TABLE users (id INTEGER); CREATE TABLE more (id INTEGER);"},
    {2, "0002_names", "ALTER TABLE users ADD name TEXT;"},
};
using names = std::vector<std::string>;

schema_state state_of(const options& target, std::span<const migration> all) {
    const auto report = check_schema(target, all);
    INFO(report.detail);
    CHECK(report.detail.find(target.file.string()) == 0);
    CHECK(report.detail.find('\n') == std::string::npos);
    return report.state;
}

}  // namespace

TEST_CASE("sqlite migrations: the file is created, then each is applied once") {
    scratch_folder folder;
    const options target = options_of(folder / "a.db");
    CHECK(state_of(target, two) == schema_state::behind);
    CHECK_FALSE(std::filesystem::exists(target.file));
    CHECK(migrate(target, std::span(two).first(1)) == names{"0001_users"});
    CHECK(state_of(target, two) == schema_state::behind);
    CHECK(migrate(target, two) == names{"0002_names"});
    CHECK(migrate(target, two).empty());
    CHECK(state_of(target, two) == schema_state::current);
}

TEST_CASE("sqlite migrations: several at once apply each of them once") {
    scratch_folder folder;
    const options target = options_of(folder / "a.db");
    std::vector<names> applied(4);
    std::vector<std::string> faults(4);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < applied.size(); ++i) {
        threads.emplace_back([&, i] {
            try {
                applied[i] = migrate(target, two);
            } catch (const std::exception& fault) {
                faults[i] = fault.what();
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    names all;
    for (std::size_t i = 0; i < applied.size(); ++i) {
        CHECK(faults[i] == "");
        all.insert(all.end(), applied[i].begin(), applied[i].end());
    }
    std::sort(all.begin(), all.end());
    CHECK(all == names{"0001_users", "0002_names"});
}

TEST_CASE("sqlite migrations: a changed text, and a newer binary's, are refused") {
    scratch_folder folder;
    const options target = options_of(folder / "a.db");
    migrate(target, two);
    auto changed = two;
    changed[0].sql = "CREATE TABLE users (id TEXT);";
    CHECK(state_of(target, changed) == schema_state::changed);
    CHECK_THROWS_WITH(migrate(target, changed), Catch::Contains("0001_users"));
    const auto older = std::span(two).first(1);
    CHECK(state_of(target, older) == schema_state::ahead);
    CHECK_THROWS_WITH(migrate(target, older),
                      Catch::Contains("0002_names") && Catch::Contains("use a newer binary"));
}

TEST_CASE("sqlite migrations: one that fails leaves nothing of itself") {
    scratch_folder folder;
    const options target = options_of(folder / "a.db");
    auto broken = two;
    broken[1].sql = "CREATE TABLE half (id INTEGER); SELEKT;";
    CHECK_THROWS_WITH(migrate(target, broken), Catch::Contains("0002_names"));
    database db = open(target.file);
    must(db.script("CREATE TABLE half (id INTEGER)"));
    CHECK(state_of(target, two) == schema_state::behind);
}

TEST_CASE("sqlite migrations: what is no database is unreachable, and left as it is") {
    scratch_folder folder;
    const options target = options_of(folder / "a.db");
    const std::string text(10'000, 'x');
    std::ofstream(target.file) << text;
    CHECK(state_of(target, two) == schema_state::unreachable);
    CHECK_THROWS_WITH(migrate(target, two), Catch::Contains("not a database"));
    std::ifstream file(target.file);
    CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == text);
}

TEST_CASE("sqlite folder: it is one process's, and says whose") {
    scratch_folder folder;
    const auto data = folder / "a/b";
    {
        const folder_lock mine(data);
        CHECK_THROWS_WITH(folder_lock(data),
                          Catch::Contains("another flashsale process uses this folder, pid " +
                                          std::to_string(::getpid())));
    }
    const folder_lock again(data);
    std::ofstream(folder / "file") << "x";
    CHECK_THROWS_WITH(folder_lock(folder / "file/c"), Catch::Contains("cannot be created"));
}
