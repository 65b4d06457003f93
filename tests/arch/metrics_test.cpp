#include <catch2/catch.hpp>

#include <fstream>

#include <flashsale/app.hpp>
#include <flashsale/base/metrics.hpp>

// The whole program, so that the linker leaves no module's metrics out.
int (*const volatile program)(int, char**) = flashsale::app::run;

TEST_CASE("metrics: their names are those that are checked in") {
    REQUIRE(program != nullptr);
    std::ifstream file(FLASHSALE_METRICS_LIST);
    REQUIRE(file);
    std::vector<std::string> listed, exported;
    for (std::string line; std::getline(file, line);)
        listed.push_back(line);
    for (const flashsale::metric* one : flashsale::all_metrics()) {
        const bool counter = one->type() == flashsale::metric::kind::counter;
        exported.push_back("flashsale_" + std::string(one->name()) +
                           (counter ? " counter" : " gauge"));
    }
    CHECK(exported.size() > 20);
    // A name that goes or changes breaks an operator's alarm: change metrics.txt knowingly.
    CHECK(exported == listed);
}

TEST_CASE("metrics: counters end in _total, and nothing else does") {
    for (const flashsale::metric* one : flashsale::all_metrics()) {
        INFO(one->name());
        CHECK((one->type() == flashsale::metric::kind::counter) ==
              std::string(one->name()).ends_with("_total"));
    }
}
