#include <catch2/catch.hpp>

#include <fstream>

#include "backend.hpp"
#include "scratch_folder.hpp"
#include "worker.hpp"

using namespace flashsale;

namespace {

/// As the program declares them: `GET /v1/users/{id} anybody`.
std::vector<std::string> declared_routes() {
    const test::scratch_folder folder;
    app::config settings = app::parse_config(R"({"stock":{"gate":"memory"}})", "none", nullptr);
    settings.sqlite.folder = (folder.path() / "data").string();
    const auto behind = app::make_embedded_backend(settings, 1);
    const app::health state;
    app::worker one(settings, *behind, state);
    std::vector<std::string> out;
    for (const http::route* route : one.for_server().routes.all()) {
        out.push_back(std::string(http::name_of(route->verb)) + " " + std::string(route->pattern) +
                      " " + std::string(route->who_may.name()));
    }
    return out;
}

}  // namespace

TEST_CASE("routes: they, and for whom they are, are those that are checked in") {
    std::ifstream file(FLASHSALE_ROUTES_LIST);
    REQUIRE(file);
    std::vector<std::string> listed;
    for (std::string line; std::getline(file, line);)
        listed.push_back(line);
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
