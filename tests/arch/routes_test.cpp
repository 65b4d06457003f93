#include <catch2/catch.hpp>

#include <fstream>
#include <functional>

#include "scratch_folder.hpp"
#include "site.hpp"
#include "worker.hpp"

using namespace flashsale;

namespace {

void with_routes(const std::function<void(const http::router&)>& look) {
    const test::scratch_folder folder;
    app::config settings = app::parse_config(R"({"stock":{"gate":"memory"}})", "none", nullptr);
    settings.sqlite.folder = (folder.path() / "data").string();
    const auto behind = app::make_site(settings)->serve(1);
    const app::health state;
    app::worker one(settings, *behind, state);
    look(one.for_server().routes);
}

/// As the program declares them: `GET /v1/users/{id} anybody`.
std::vector<std::string> declared_routes() {
    std::vector<std::string> out;
    with_routes([&](const http::router& routes) {
        for (const http::route* route : routes.all()) {
            out.push_back(std::string(http::name_of(route->verb)) + " " +
                          std::string(route->pattern) + " " + std::string(route->who_may.name()));
        }
    });
    return out;
}

/// `404 not_found`
std::vector<std::string> declared_problems() {
    std::vector<std::string> out;
    with_routes([&](const http::router& routes) {
        for (const http::problem_type* type : routes.problems())
            out.push_back(std::to_string(type->status()) + " " + std::string(type->code()));
    });
    return out;
}

std::vector<std::string> lines_of(const char* name) {
    std::ifstream file(name);
    REQUIRE(file);
    std::vector<std::string> out;
    for (std::string line; std::getline(file, line);)
        out.push_back(line);
    return out;
}

}  // namespace

TEST_CASE("routes: they, and for whom they are, are those that are checked in") {
    const auto listed = lines_of(FLASHSALE_ROUTES_LIST);
    auto declared = declared_routes();
    std::ranges::sort(declared);
    CHECK(declared.size() > 10);
    // A route that goes breaks a client, and one that is for others than before may be a
    // hole: change routes.txt knowingly.
    CHECK(declared == listed);
}

TEST_CASE("routes: no two are the same") {
    auto declared = declared_routes();
    std::ranges::sort(declared);
    CHECK(std::ranges::adjacent_find(declared) == declared.end());
}

TEST_CASE("problems: they are those that are checked in") {
    auto declared = declared_problems();
    std::ranges::sort(declared);
    CHECK(declared.size() > 20);
    // Clients stand by a code and its status: change problems.txt knowingly.
    CHECK(declared == lines_of(FLASHSALE_PROBLEMS_LIST));
}
