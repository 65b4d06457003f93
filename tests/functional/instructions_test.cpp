// script/bench --instructions in small: valgrind runs the real binary.

#include <catch2/catch.hpp>

#include "shop.hpp"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FLASHSALE_SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FLASHSALE_SANITIZED
#endif

// What a sanitizer has compiled does not run under valgrind.
#ifndef FLASHSALE_SANITIZED

using namespace flashsale::test;

namespace {

finished count(std::vector<std::string> more, const environment& extra = {}) {
    std::vector<std::string> all{bench_binary(), "instructions",     "--config", embedded_config(),
                                 "--flashsale",  flashsale_binary(), "--orders", "320"};
    all.insert(all.end(), more.begin(), more.end());
    return run(all, extra, std::chrono::seconds{500});
}

}  // namespace

TEST_CASE("bench: the instructions of an accepted and of a refused order") {
    const scratch_folder data;
    const scratch_folder out;
    const auto done = count({"--out", out.path().string()},
                            {{"FLASHSALE_SQLITE__FOLDER", (data / "here").string()}});
    INFO(done.output);
    REQUIRE(done.exit_code == 0);
    CHECK_THAT(done.output,
               Catch::Contains("out_of_stock, each by the gate, the way of any order"));
    const auto all = json::parse(done.last_line());
    REQUIRE(all.at("runs").as_array().size() == 1);
    const auto& one = all.at("runs").as_array().front();
    const auto figure = [&](const char* name) { return one.at(name).to_number<std::int64_t>(); };
    // What HTTP, JSON and a hash table cannot do without; and what would be another program.
    CHECK(figure("refused") > 1'000);
    CHECK(figure("refused") < 200'000);
    CHECK(figure("answered") > figure("refused"));
    CHECK(figure("recorded") > 1'000);
    CHECK(figure("accepted") == Approx(figure("answered") + figure("recorded")).margin(1));
    CHECK(figure("refused_by_gate") == 320);
    for (const char* thread : {"http worker", "log writer", "recorder"})
        CHECK(one.at("accepted_by_thread").at(thread).to_number<std::int64_t>() > 0);
    std::size_t kept = 0;
    for (const auto& each : std::filesystem::directory_iterator{out.path()})
        kept += each.path().filename().string().starts_with("callgrind.refused.http-worker-");
    CHECK(kept == 1);
    CHECK(std::filesystem::is_empty(data.path()));
}

TEST_CASE("bench: no instructions are told of orders that were answered otherwise") {
    const scratch_folder data;
    const environment here{{"FLASHSALE_SQLITE__FOLDER", (data / "here").string()}};
    auto few = here;
    few["FLASHSALE_STOCK__WAITING_RESERVATIONS_MAX"] = "15";  // of 16 that come together
    const auto done = count({}, few);
    INFO(done.output);
    CHECK(done.exit_code == 1);
    CHECK_THAT(done.output, Catch::Contains("orders were not answered 201; the first of them: "
                                            "503 overloaded"));
    CHECK_THAT(done.output, !Catch::Contains("accepted"));
    CHECK(count({"--pipelined", "15"}, few).exit_code == 0);
}

#endif
